package im

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// fileRequest turns a packet about a file into its value.
func fileRequest(route string, f fields, packet []byte) (Request, bool, error) {
	name, ok := f.get("filename", "file")
	if !ok {
		return nil, false, syntaxError(packet, `"filename"`)
	}
	var req Request
	var want string
	switch route {
	case "register":
		req, want = registerFile(name, f)
	case "searchChunk", "searchchunk":
		var r SearchChunk
		r.File = name
		r.Chunks, want = numbers(f, "chunk", "chunks")
		if want == "" && r.Chunks == nil {
			want = `"chunk"`
		}
		req = r
	default:
		req = SearchFile{File: name}
	}
	if want != "" {
		return nil, false, syntaxError(packet, want)
	}
	return req, true, nil
}

// registerFile reads the fields of a RegisterFile. want is what is missing or wrong, empty if nothing is.
func registerFile(name string, f fields) (r RegisterFile, want string) {
	r.File = name
	r.Has, want = numbers(f, "chunk")
	if want != "" {
		return r, want
	}
	size, hasSize := f.find("size")
	chunks, hasChunks := f.find("chunks")
	if !hasSize && !hasChunks && r.Has != nil {
		return r, ""
	}
	var err error
	if r.Size, err = strconv.ParseInt(strings.TrimSpace(size.text), 10, 64); err != nil || r.Size < 0 {
		return r, "a size in bytes"
	}
	if r.Chunks, err = strconv.Atoi(strings.TrimSpace(chunks.text)); err != nil || r.Chunks < 1 {
		return r, "a number of chunks"
	}
	return r, ""
}

// numbers reads chunk numbers, which are a number, a list, or a text of numbers with commas between them. It returns nil if
// there is no such field. want says what is wrong, empty if nothing is.
func numbers(f fields, names ...string) (list []int, want string) {
	v, ok := f.find(names...)
	if !ok {
		return nil, ""
	}
	words := v.list
	if !v.isList {
		words = strings.SplitN(v.text, ",", ChunksMax+1)
	}
	if len(words) == 0 || len(words) > ChunksMax {
		return nil, "1 to " + strconv.Itoa(ChunksMax) + " numbers of chunks"
	}
	for _, word := range words {
		n, err := strconv.Atoi(strings.TrimSpace(word))
		if err != nil {
			return nil, "numbers of chunks"
		}
		list = append(list, n)
	}
	return list, ""
}

// Found is the answer to SearchFile and SearchChunk: the text of a Text (PROTOCOL.md 5.2). There may be several files by a name.
// Empty says that nobody has what was searched for.
type Found []FoundFile

// A FoundFile is one of them.
type FoundFile struct {
	Size    int64    // In bytes.
	Chunks  int      // How many it has.
	Holders []Holder // Who has some of them.
}

// A Holder is somebody who has chunks of what was searched for.
type Holder struct {
	User   string
	Chunks []int
}

const (
	textAvailable    = "Available\n"
	textNotAvailable = "Not available\n"
	severalFormat    = "Available, %d files\n"
	foundFormat      = "%d bytes, %d chunks, %d users\n"
)

// Text returns the text for people and programs.
func (f Found) Text() string {
	var b []byte
	switch len(f) {
	case 0:
		return textNotAvailable
	case 1:
		b = append(b, textAvailable...)
	default:
		b = fmt.Appendf(b, severalFormat, len(f))
	}
	for _, file := range f {
		b = fmt.Appendf(b, foundFormat, file.Size, file.Chunks, len(file.Holders))
		for _, h := range file.Holders {
			b = append(append(b, h.User...), ": "...)
			b = append(appendNumbers(b, h.Chunks, ","), '\n')
		}
	}
	return string(b)
}

// ParseFound reads a text that begins with the answer to a search, which may have come as several packets. ok is false if it
// does not, or not as a whole.
func ParseFound(text string) (f Found, ok bool) {
	head, text, whole := strings.Cut(text, "\n")
	files := 1
	switch head += "\n"; {
	case !whole:
		return nil, false
	case head == textNotAvailable:
		return Found{}, true
	case head == textAvailable:
	default:
		if n, err := fmt.Sscanf(head, severalFormat, &files); err != nil || n != 1 || files < 2 {
			return nil, false
		}
	}
	for range files {
		var file FoundFile
		if file, text, ok = parseFile(text); !ok {
			return nil, false
		}
		f = append(f, file)
	}
	return f, true
}

// parseFile reads one file of the answer. rest is what follows.
func parseFile(text string) (f FoundFile, rest string, ok bool) {
	head, text, whole := strings.Cut(text, "\n")
	var holders int
	if n, err := fmt.Sscanf(head+"\n", foundFormat, &f.Size, &f.Chunks, &holders); !whole || err != nil || n != 3 {
		return f, "", false
	}
	if f.Size < 0 || f.Chunks < 1 || f.Chunks > ChunksMax {
		return f, "", false
	}
	for range holders {
		line, rest, whole := strings.Cut(text, "\n")
		text = rest
		h, good := parseHolder(line, f.Chunks)
		if !whole || !good {
			return f, "", false
		}
		f.Holders = append(f.Holders, h)
	}
	return f, text, true
}

// parseHolder reads a line about a file of so many chunks.
func parseHolder(line string, chunks int) (h Holder, ok bool) {
	at := strings.LastIndex(line, ": ") // A name may have that in it, numbers have not.
	if at < 0 {
		return h, false
	}
	h.User = line[:at]
	for word := range strings.SplitSeq(line[at+len(": "):], ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 || n > chunks || slices.Contains(h.Chunks, n) {
			return h, false
		}
		h.Chunks = append(h.Chunks, n)
	}
	return h, true
}
