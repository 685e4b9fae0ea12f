package im

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"udpchat/chat/account"
	"udpchat/chat/front/internal/stage"
	wire "udpchat/chat/wire/im"
)

// user makes somebody who is logged in, for tests that need no connection.
func (f *Front) user(name string) *member {
	return &member{front: f, account: account.Account{Name: name, Show: name}, blocked: make(map[string]bool)}
}

func textOf(rep wire.Reply) string { return rep.(wire.Text).Text }

// What users may register is bounded, and room again when they have gone.
func TestFilesAreLimited(t *testing.T) {
	f := New(Config{Accounts: new(account.Service)})
	var users []*member
	for n := 0; n < filesMax; n += filesPerUserMax {
		m := f.user(fmt.Sprint("user", n))
		users = append(users, m)
		for i := range filesPerUserMax {
			if got := textOf(m.registerFile(wire.RegisterFile{File: fmt.Sprint(n, "-", i), Size: 1, Chunks: 1})); got != textFileRegistered {
				t.Fatalf("file %d of %d: %q", i, n, got)
			}
		}
	}
	first, late := users[0], f.user("late")
	one := wire.RegisterFile{File: "one more", Size: 1, Chunks: 1}
	if got := textOf(first.registerFile(one)); got != textTooManyFiles {
		t.Errorf("by who has many: %q", got)
	}
	if got := textOf(late.registerFile(one)); got != textFilesFull {
		t.Errorf("by who has none: %q", got)
	}
	if got := textOf(first.registerFile(wire.RegisterFile{File: "0-0", Size: 2, Chunks: 2})); got != textFileRegistered {
		t.Errorf("another file by a name that one has: %q", got)
	}
	first.front.files.forget(first)
	if got := textOf(late.registerFile(one)); got != textFileRegistered {
		t.Errorf("when one has gone: %q", got)
	}
	for _, m := range append(users, late) {
		f.files.forget(m)
		f.files.forget(m)
	}
	if s := &f.files; s.shares != 0 || len(s.byName) != 0 || len(s.byUser) != 0 {
		t.Errorf("when all have gone: %d registrations, %d names, %d users", s.shares, len(s.byName), len(s.byUser))
	}
}

// However many have a file, the answer is of some packets, and the chunk that only the last has is found.
func TestSearchAmongManyUsers(t *testing.T) {
	f := New(Config{Accounts: new(account.Service)})
	asks := f.user("asks")
	for n := range 500 {
		has := []int{1}
		if n == 499 {
			has = []int{2}
		}
		f.user(fmt.Sprint(n)).registerFile(wire.RegisterFile{File: "x", Size: 1 << 40, Chunks: wire.ChunksMax, Has: has})
	}
	found, ok := wire.ParseFound(textOf(asks.searchFile("x")))
	if !ok || len(found) != 1 || len(found[0].Holders) != holdersShownMax || found[0].Holders[0].User != "0" || found[0].Size != 1<<40 {
		t.Errorf("got %+v, %v", found, ok)
	}
	found, ok = wire.ParseFound(textOf(asks.searchChunk(wire.SearchChunk{File: "x", Chunks: []int{3, 2}})))
	if want := (wire.Holder{User: "499", Chunks: []int{2}}); !ok || len(found) != 1 || len(found[0].Holders) != 1 || !slices.Equal(found[0].Holders[0].Chunks, want.Chunks) {
		t.Errorf("got %+v, %v, want %+v", found, ok, want)
	}
	if got := textOf(asks.searchChunk(wire.SearchChunk{File: "x", Chunks: []int{3}})); got != "Not available\n" {
		t.Errorf("got %q", got)
	}
}

// Whoever says something false about a file, first or as many, keeps nobody from registering and finding the true one.
func TestFalseSizeHidesNobody(t *testing.T) {
	f := New(Config{Accounts: new(account.Service)})
	asks, owner := f.user("asks"), f.user("owner")
	for n := range 30 {
		f.user(fmt.Sprint("liar ", n)).registerFile(wire.RegisterFile{File: "x", Size: 99, Chunks: 1})
		f.user(fmt.Sprint("liar of a kind ", n)).registerFile(wire.RegisterFile{File: "x", Size: int64(n), Chunks: 1})
	}
	if got := textOf(owner.registerFile(wire.RegisterFile{File: "x", Size: 20_480, Chunks: 10})); got != "Ok\n" {
		t.Errorf("registering: got %q", got)
	}
	for what, text := range map[string]string{
		"searchFile": textOf(asks.searchFile("x")), "searchChunk": textOf(asks.searchChunk(wire.SearchChunk{File: "x", Chunks: []int{7}})),
	} {
		found, ok := wire.ParseFound(text)
		last := wire.FoundFile{}
		if len(found) > 0 {
			last = found[len(found)-1]
		}
		if !ok || last.Size != 20_480 || len(last.Holders) != 1 || last.Holders[0].User != "owner" {
			t.Errorf("%s: got %q", what, text)
		}
	}
	if got := textOf(asks.registerFile(wire.RegisterFile{File: "x", Has: []int{1}})); got != "Error. There are 32 files called x: size and chunks say which\n" {
		t.Errorf("got %q", got)
	}
}

func TestChunksOfAFile(t *testing.T) {
	for chunks := 1; chunks <= wire.ChunksMax; chunks++ {
		all := allChunks(chunks).numbers()
		if len(all) != chunks || all[0] != 1 || all[chunks-1] != chunks {
			t.Errorf("all of %d: %v", chunks, all)
		}
		if set, ok := chunkSetOf(all, chunks); !ok || set != allChunks(chunks) {
			t.Errorf("%v of %d: %b, %v", all, chunks, set, ok)
		}
		for _, n := range []int{-1, 0, chunks + 1, 1 << 40} {
			if _, ok := chunkSetOf([]int{1, n}, chunks); ok {
				t.Errorf("chunk %d of %d", n, chunks)
			}
		}
	}
}

// The longest answers and invitations can be read by a client at once, whatever is in the names.
func TestPacketsAboutFilesCanBeReadAtOnce(t *testing.T) {
	for _, r := range []string{"x", `"`, "ü", "世", "😀"} {
		file, user := strings.Repeat(r, fileNameBytesMax/len(r)), strings.Repeat(r, 48/len(r))
		if !isFileName(file) || isFileName(file+"xxxx") {
			t.Errorf("%s… is a file name: %v, longer: %v", r, isFileName(file), isFileName(file+"xxxx"))
		}
		if b := wire.AppendReply(nil, inviteFor(user, file)); len(b) > wire.ReplyBytesMax {
			t.Errorf("%s…: the invitation has %d bytes", r, len(b))
		}
	}
	var f wire.Found
	for n := range holdersShownMax {
		f = append(f, wire.FoundFile{Size: fileBytesMax - int64(n), Chunks: wire.ChunksMax, Holders: []wire.Holder{
			{User: strings.Repeat("x", 48), Chunks: allChunks(wire.ChunksMax).numbers()},
		}})
	}
	parts := wire.Split(f.Text())
	for _, part := range parts {
		if !strings.HasSuffix(part, "\n") {
			t.Errorf("a packet ends inside a line: %q", part)
		}
	}
	if len(parts) > 20 {
		t.Errorf("%d packets", len(parts))
	}
}

// The packets of one answer follow each other, whatever else there is to tell.
func TestAnswerOfSeveralPacketsIsNotInterrupted(t *testing.T) {
	in(t, "hans,yoda", func(w *stage.World) {
		hans, yoda := logIn(t, w, "hans"), logIn(t, w, "yoda")
		hans.got()
		f := w.Fronts[0].(*Front)
		for n := range holdersShownMax {
			f.user(fmt.Sprint("user with a name that is rather long ", n)).registerFile(wire.RegisterFile{File: "x", Size: 100, Chunks: 10})
		}
		for i := range 20 {
			yoda.do(wire.Message{To: "hans", Text: fmt.Sprint("before ", i)})
		}
		synctest.Wait()
		hans.do(wire.SearchFile{File: "x"})
		synctest.Wait()
		yoda.do(wire.Message{To: "hans", Text: "after"})
		got := strings.ReplaceAll(hans.got()+hans.got()+hans.got(), "200 ", "")
		got = strings.ReplaceAll(got, "|", "")
		_, got, _ = strings.Cut(got, "before 19\n")
		found, ok := wire.ParseFound(got)
		if !ok || len(found) != 1 || len(found[0].Holders) != holdersShownMax {
			t.Errorf("got %q", got)
		}
		if !strings.HasSuffix(got, "yoda: after\n") {
			t.Errorf("the message: got %q", got)
		}
	})
}
