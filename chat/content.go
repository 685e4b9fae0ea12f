package chat

import (
	"encoding/hex"
	"fmt"
	"path"
	"strings"
	"unicode/utf8"

	"udpchat/chat/names"
)

// Content is what a device says: a text, or a file if File is not nil; then Text must be empty.
type Content struct {
	Text string // Any bytes.
	File *File
	// Tag is what a protocol keeps with the message for itself, such as a time by its client's clock. Others ignore it.
	// At most 127 bytes of printable ASCII.
	Tag string
}

// A File is what a room is told about a file. Its bytes are with the engine (PutBlob, GetBlob).
type File struct {
	SHA256 string // Of its bytes, in lower-case hexadecimal: the id of the blob.
	Size   int64  // In bytes.
	Name   string // To show, without directories.
	MIME   string // Media type as the sender says, or empty.
}

// check returns what is wrong with a file announcement, or "".
func (f *File) check() string {
	sum, err := hex.DecodeString(f.SHA256)
	switch {
	case err != nil || len(sum) != fileSumBytes || f.SHA256 != hex.EncodeToString(sum):
		return "the file's SHA-256 is not 64 lower-case hexadecimal digits"
	case f.Size < 0:
		return "the file's size is negative"
	case len(f.MIME) > mimeBytesMax || !isASCII(f.MIME):
		return "the file's media type is none"
	case f.Name == "." || f.Name == ".." || strings.ContainsAny(f.Name, `/\`) || path.Base(f.Name) != f.Name:
		return "the file's name has directories"
	}
	if err := names.Check(f.Name, fileNameBytesMax); err != nil {
		return "the file's " + err.Error()
	}
	return ""
}

// isASCII reports whether s is printable ASCII, as a media type with parameters is.
func isASCII(s string) bool {
	for _, r := range s {
		if r < ' ' || r > '~' || r == utf8.RuneError {
			return false
		}
	}
	return true
}

// contentRecord returns c as the record of an account, or a refusal.
func (h *Hub) contentRecord(op string, c Content) (record, error) {
	switch {
	case len(c.Tag) > tagBytesMax || !isASCII(c.Tag):
		return record{}, h.refuse(op, CodeBadContent, 0, "the tag is none")
	case c.File == nil && len(c.Text) > h.cfg.MessageBytesMax:
		detail := fmt.Sprintf("text has %d bytes, the most is %d", len(c.Text), h.cfg.MessageBytesMax)
		return record{}, h.refuse(op, CodeTooLong, 0, detail)
	case c.File == nil:
		return record{kind: KindSaid, text: c.Text, tag: c.Tag}, nil
	case c.Text != "":
		return record{}, h.refuse(op, CodeBadContent, 0, "a file comes without a text")
	}
	if wrong := c.File.check(); wrong != "" {
		return record{}, h.refuse(op, CodeBadContent, 0, wrong)
	}
	sum, _ := hex.DecodeString(c.File.SHA256) // check has seen to that.
	return record{
		kind: KindFile, text: c.File.Name, about: c.File.MIME, number: uint64(c.File.Size), sum: string(sum), tag: c.Tag,
	}, nil
}

// file returns the file a record of KindFile is about.
func (r record) file() *File {
	if r.kind != KindFile {
		return nil
	}
	return &File{SHA256: hex.EncodeToString([]byte(r.sum)), Size: int64(r.number), Name: r.text, MIME: r.about}
}
