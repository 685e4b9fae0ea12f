package im

import (
	"math/bits"
	"slices"
	"strings"
	"sync"

	wire "udpchat/chat/wire/im"
)

// files is who has which files, or chunks of them: what the users have said since they logged in. Nothing is known of the files
// but that, and nothing is stored.
type files struct {
	mu     sync.Mutex // Taken before a member's.
	shares int        // How many there are. Guarded by mu, like all that follows.
	byName map[string][]*share
	byUser map[*member]map[string]*share
}

func newFiles() files {
	return files{byName: make(map[string][]*share), byUser: make(map[*member]map[string]*share)}
}

// A share is what one user has of a file. Guarded by the mu of files.
type share struct {
	owner  *member // Constant.
	size   int64
	chunks int      // That the file has.
	set    chunkSet // Of those, the user's. Never empty.
}

// is reports whether it is of a file of that size, cut into as many chunks.
func (s *share) is(size int64, chunks int) bool { return s.size == size && s.chunks == chunks }

// A chunkSet has bit n-1 set for chunk n.
type chunkSet uint64

// allChunks returns the set of all chunks of a file.
func allChunks(chunks int) chunkSet { return ^chunkSet(0) >> (wire.ChunksMax - chunks) }

// chunkSetOf returns the set of some chunks of a file. ok is false if it has not all of them.
func chunkSetOf(numbers []int, chunks int) (set chunkSet, ok bool) {
	for _, n := range numbers {
		if n < 1 || n > chunks {
			return 0, false
		}
		set |= 1 << (n - 1)
	}
	return set, true
}

// numbers returns the chunks in rising order.
func (s chunkSet) numbers() []int {
	var all []int
	for ; s != 0; s &= s - 1 {
		all = append(all, bits.TrailingZeros64(uint64(s))+1)
	}
	return all
}

// isFileName reports whether a name is one by which a client may keep a file in a directory, and one line.
func isFileName(name string) bool {
	return name != "" && len(name) <= fileNameBytesMax && name != "." && name != ".." &&
		!strings.ContainsAny(name, `/\`) && oneLine(name) == name
}

// sees reports whether the user may know of another one: neither has blocked the other.
func (m *member) sees(other *member) bool {
	return m == other || !m.hasBlocked(other.account.Name) && !other.hasBlocked(m.account.Name)
}

// A version is one of the files by a name, which different users may give to different files.
type version struct {
	size   int64
	chunks int
	shares []*share // Not empty, in the order in which users have registered it.
}

// seenLocked returns what m sees of the files by a name, its own share included: that of most users first, so that one who says
// something else does not keep the others from finding each other.
func (f *files) seenLocked(m *member, name string) []version {
	var seen []version
	for _, s := range f.byName[name] {
		if !m.sees(s.owner) {
			continue
		}
		i := slices.IndexFunc(seen, func(v version) bool { return s.is(v.size, v.chunks) })
		if i < 0 {
			i = len(seen)
			seen = append(seen, version{size: s.size, chunks: s.chunks})
		}
		seen[i].shares = append(seen[i].shares, s)
	}
	slices.SortStableFunc(seen, func(a, b version) int { return len(b.shares) - len(a.shares) })
	return seen
}

// registerFile notes that the user has a file, or some of it (PROTOCOL.md 5.1).
func (m *member) registerFile(r wire.RegisterFile) wire.Reply {
	if !isFileName(r.File) {
		return refused(textFileName)
	}
	f := &m.front.files
	f.mu.Lock()
	defer f.mu.Unlock()
	mine := f.byUser[m][r.File]
	seen := f.seenLocked(m, r.File)
	has := share{owner: m, size: r.Size, chunks: r.Chunks}
	switch {
	case r.Chunks > wire.ChunksMax:
		return refusedf("Error. A file has 1 to %d chunks\n", wire.ChunksMax)
	case r.Size > fileBytesMax:
		return refused(textFileSize)
	case r.Chunks > 0:
	case mine != nil:
		has.size, has.chunks = mine.size, mine.chunks
	case len(seen) == 1:
		has.size, has.chunks = seen[0].size, seen[0].chunks
	case len(seen) > 1:
		return refusedf("Error. There are %d files called %s: size and chunks say which\n", len(seen), r.File)
	default:
		return refusedf("Error. %s is not registered\n", r.File)
	}
	has.set = allChunks(has.chunks)
	if r.Has != nil {
		set, ok := chunkSetOf(r.Has, has.chunks)
		if !ok {
			return refusedChunks(r.File, has.chunks)
		}
		has.set = set
	}
	known := slices.ContainsFunc(seen, func(v version) bool { return has.is(v.size, v.chunks) })
	return f.addLocked(r.File, mine, has, known)
}

// addLocked notes what a user has of a file, in addition to mine or in its place if that is another file. known: somebody has it.
func (f *files) addLocked(name string, mine *share, has share, known bool) wire.Reply {
	switch {
	case mine != nil && mine.is(has.size, has.chunks):
		mine.set |= has.set
		return ok(textRegisteredAlready)
	case mine != nil:
		*mine = has
	case len(f.byUser[has.owner]) >= filesPerUserMax:
		return refused(textTooManyFiles)
	case f.shares >= filesMax:
		return refused(textFilesFull)
	default:
		f.shares++
		f.byName[name] = append(f.byName[name], &has)
		if f.byUser[has.owner] == nil {
			f.byUser[has.owner] = make(map[string]*share)
		}
		f.byUser[has.owner][name] = &has
	}
	if known {
		return ok(textRegisteredAlready)
	}
	return ok(textFileRegistered)
}

// forget takes back all that a user has registered.
func (f *files) forget(m *member) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name, mine := range f.byUser[m] {
		f.byName[name] = slices.DeleteFunc(f.byName[name], func(s *share) bool { return s == mine })
		if len(f.byName[name]) == 0 {
			delete(f.byName, name)
		}
	}
	f.shares -= len(f.byUser[m])
	delete(f.byUser, m)
}

// searchFile says who has a file, or which chunks of it (PROTOCOL.md 5.2).
func (m *member) searchFile(name string) wire.Reply { return m.search(name, nil) }

// searchChunk says who has which of some chunks of a file.
func (m *member) searchChunk(r wire.SearchChunk) wire.Reply { return m.search(r.File, r.Chunks) }

// search looks for all chunks of a file if wanted is nil.
func (m *member) search(name string, wanted []int) wire.Reply {
	f := &m.front.files
	f.mu.Lock()
	defer f.mu.Unlock()
	seen := f.seenLocked(m, name)
	if len(seen) == 0 {
		return ok(wire.Found{}.Text())
	}
	seen = seen[:min(len(seen), holdersShownMax)]
	var found wire.Found
	none := true // None of the files has all these chunks.
	for _, v := range seen {
		set := allChunks(v.chunks)
		if wanted != nil {
			var all bool
			if set, all = chunkSetOf(wanted, v.chunks); !all {
				continue
			}
		}
		none = false
		if file := v.found(set, holdersShownMax/len(seen)); len(file.Holders) > 0 {
			found = append(found, file)
		}
	}
	if none {
		return refusedChunks(name, seen[0].chunks)
	}
	return ok(found.Text())
}

// found returns who has which of some chunks, of at most so many users.
func (v version) found(set chunkSet, most int) wire.FoundFile {
	file := wire.FoundFile{Size: v.size, Chunks: v.chunks}
	for _, s := range v.shares {
		if s.set&set != 0 && len(file.Holders) < most {
			file.Holders = append(file.Holders, wire.Holder{User: oneLine(s.owner.account.Show), Chunks: (s.set & set).numbers()})
		}
	}
	return file
}

// hasFile reports whether the user has registered anything of a file.
func (m *member) hasFile(name string) bool {
	f := &m.front.files
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.byUser[m][name] != nil
}

func refusedChunks(name string, chunks int) wire.Reply {
	return refusedf("Error. %s has chunks 1 to %d\n", oneLine(name), chunks)
}
