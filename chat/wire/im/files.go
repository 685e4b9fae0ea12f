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

// Found is the answer to SearchFile and SearchChunk: the text of a Text (PROTOCOL.md 5.2). The zero value says that nobody has
// what was searched for.
type Found struct {
	Size    int64 // Of the file, in bytes.
	Chunks  int   // How many it has. 0: nothing was found.
	Holders []Holder
}

// A Holder is somebody who has chunks of what was searched for.
type Holder struct {
	User   string
	Chunks []int
}

const (
	textAvailable    = "Available\n"
	textNotAvailable = "Not available\n"
	foundFormat      = "%d bytes, %d chunks, %d users\n"
)

// Text returns the text for people and programs.
func (f Found) Text() string {
	if f.Chunks == 0 {
		return textNotAvailable
	}
	b := fmt.Appendf([]byte(textAvailable), foundFormat, f.Size, f.Chunks, len(f.Holders))
	for _, h := range f.Holders {
		b = append(append(b, h.User...), ": "...)
		b = append(appendNumbers(b, h.Chunks, ","), '\n')
	}
	return string(b)
}

// ParseFound reads a text that begins with the answer to a search, which may have come as several packets. ok is false if it
// does not, or not as a whole.
func ParseFound(text string) (f Found, ok bool) {
	if strings.HasPrefix(text, textNotAvailable) {
		return Found{}, true
	}
	text, ok = strings.CutPrefix(text, textAvailable)
	head, text, whole := strings.Cut(text, "\n")
	var holders int
	if n, err := fmt.Sscanf(head+"\n", foundFormat, &f.Size, &f.Chunks, &holders); !ok || !whole || err != nil || n != 3 {
		return Found{}, false
	}
	if f.Size < 0 || f.Chunks < 1 || f.Chunks > ChunksMax {
		return Found{}, false
	}
	for range holders {
		line, rest, whole := strings.Cut(text, "\n")
		text = rest
		at := strings.LastIndex(line, ": ") // A name may have that in it, numbers have not.
		if !whole || at < 0 {
			return Found{}, false
		}
		h := Holder{User: line[:at]}
		for word := range strings.SplitSeq(line[at+len(": "):], ",") {
			n, err := strconv.Atoi(word)
			if err != nil || n < 1 || n > f.Chunks || slices.Contains(h.Chunks, n) {
				return Found{}, false
			}
			h.Chunks = append(h.Chunks, n)
		}
		f.Holders = append(f.Holders, h)
	}
	return f, true
}
