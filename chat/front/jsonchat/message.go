package jsonchat

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"udpchat/chat"
	"udpchat/chat/account"
	wire "udpchat/chat/wire/jsonchat"
)

// A stored message is what a log has of it.
type stored struct {
	text   string
	file   *chat.File
	tag    tag
	tagged bool   // Else it came by another protocol.
	from   string // Canonical name.
	at     time.Time
	seq    uint64
}

// storedOf returns what the core's log has.
func storedOf(ev *chat.Event) stored {
	s := stored{text: ev.Text, file: ev.File, from: ev.Account, at: ev.Time, seq: ev.Seq}
	s.tag, s.tagged = parseTag(ev.Tag)
	return s
}

// A tag is what this protocol's messages have besides what the core keeps of every message.
type tag struct {
	timestamp int64
	md5       string // Printable ASCII without spaces.
	layers    int    // How often the content was in base64 that we took off.
	image     bool   // A file that is not one in this protocol.
}

// String is how the core keeps it.
func (t tag) String() string {
	kind := "message"
	if t.image {
		kind = "image"
	}
	return fmt.Sprintf("jsonchat %s %d %d %s", kind, t.layers, t.timestamp, t.md5)
}

// parseTag is the reverse; ok is false if it is not one of this protocol's.
func parseTag(text string) (t tag, ok bool) {
	words := strings.Split(text, " ")
	if len(words) != 5 || words[0] != "jsonchat" {
		return tag{}, false
	}
	layers, err := strconv.Atoi(words[2])
	at, errAt := strconv.ParseInt(words[3], 10, 64)
	if err != nil || errAt != nil || layers < 0 || layers > layersMax {
		return tag{}, false
	}
	return tag{timestamp: at, md5: words[4], layers: layers, image: words[1] == "image"}, true
}

// tagFor returns the message's tag, or one made for it if it came by another protocol. from and to are userids.
func (s stored) tagFor(from, to int64) tag {
	if s.tagged {
		return s.tag
	}
	content := s.text
	if s.file != nil {
		content = s.file.Name
	}
	at := s.at.UnixMilli()
	return tag{timestamp: at, md5: wire.MessageMD5([]byte(content), from, to, at), layers: 1}
}

// timestamp returns when the message was sent, by the clock that counts here.
func (s stored) timestamp() int64 {
	if s.tagged {
		return s.tag.timestamp
	}
	return s.at.UnixMilli()
}

// bytes is about what the message takes when it is sent.
func (s stored) bytes() int {
	n := 2*len(s.text) + messageHeadBytes
	if s.tag.image && s.file != nil {
		n += int(min(2*s.file.Size, fetchBytesMax))
	}
	return n
}

// message returns a message of who's conversation with peer as clients see it. Of a file it notes that who may fetch it.
func (f *Front) message(ctx context.Context, who account.Account, peer string, s stored) (wire.Message, error) {
	var ids [2]int64
	for i, name := range []string{who.Name, peer} {
		u, err := f.user(ctx, name)
		if err != nil {
			return wire.Message{}, err
		}
		ids[i] = u.id
	}
	if s.from != who.Name {
		ids[0], ids[1] = ids[1], ids[0]
	}
	t := s.tagFor(ids[0], ids[1])
	m := wire.Message{UserID: ids[0], TargetID: ids[1], Timestamp: t.timestamp, MD5: &t.md5, ContentType: wire.Plaintext}
	switch {
	case s.file == nil:
		m.Content = wrap([]byte(s.text), t.layers)
	case t.image:
		m.ContentType = wire.Image
		data, err := f.readImage(ctx, s.file)
		if err != nil {
			return wire.Message{}, err
		}
		m.Content = wrap(data, t.layers)
	default:
		m.ContentType = wire.File
		sum, err := f.fileMD5(ctx, s.file)
		if err != nil {
			return wire.Message{}, err
		}
		m.FileMD5 = &sum
		m.Content = wrap([]byte(s.file.Name), t.layers)
		if err := f.noteFile(ctx, who.Name, t.md5, fileRecord{SHA256: s.file.SHA256, MD5: sum, Size: s.file.Size}); err != nil {
			return wire.Message{}, err
		}
	}
	return m, nil
}

// readImage reads an image, which came in a JSON text and so is no larger than that.
func (f *Front) readImage(ctx context.Context, file *chat.File) ([]byte, error) {
	r, err := f.cfg.Engine.GetBlob(ctx, file.SHA256, 0)
	if err != nil {
		return nil, err
	}
	defer r.Close() // Nothing was written.
	data, err := io.ReadAll(io.LimitReader(r, wire.JSONBytesMax))
	if err != nil {
		return nil, fmt.Errorf("jsonchat: reading an image: %w", err)
	}
	return data, nil
}

// layersMax is how much base64 there is around an image.
const layersMax = 2

// unwrap takes up to most layers of base64 off a content, each only if wrap puts back exactly that.
func unwrap(content string, most int) (data []byte, layers int) {
	data = []byte(content)
	for layers < most {
		inner, err := base64.StdEncoding.DecodeString(string(data))
		if err != nil || base64.StdEncoding.EncodeToString(inner) != string(data) {
			break
		}
		data = inner
		layers++
	}
	return data, layers
}

// unwrapText is unwrap for a text, of which base64 is only what holds UTF-8.
func unwrapText(content string) (text string, layers int) {
	data, layers := unwrap(content, 1)
	if !utf8.Valid(data) {
		return content, 0
	}
	return string(data), layers
}

// wrap is the reverse of unwrap.
func wrap(data []byte, layers int) string {
	for range layers {
		data = []byte(base64.StdEncoding.EncodeToString(data))
	}
	return string(data)
}

// A note is a message to oneself, as its log has it.
type note struct {
	Text string     `json:"text,omitempty"`
	File *chat.File `json:"file,omitempty"`
	Tag  string     `json:"tag"`
}

// noteLog is the log of an account's messages to itself. The core has no conversations of one, so nobody else uses it.
func noteLog(name string) string { return chat.DirectLog(name, name) }

// encode returns what the log keeps.
func (n note) encode() []byte {
	b, err := json.Marshal(n)
	if err != nil {
		panic("BUG: jsonchat: a note cannot be written down: " + err.Error())
	}
	return b
}

// storedNote is the reverse.
func storedNote(name string, msg chat.Msg) (stored, error) {
	var n note
	if err := json.Unmarshal(msg.Data, &n); err != nil {
		return stored{}, fmt.Errorf("jsonchat: message %d to oneself is damaged: %w", msg.Seq, err)
	}
	s := stored{text: n.Text, file: n.File, from: name, at: msg.Time, seq: msg.Seq}
	s.tag, s.tagged = parseTag(n.Tag)
	return s, nil
}

// imageForm returns the media type of an image and a name for it, for those to whom it is a file.
func imageForm(data []byte) (mime, name string) {
	for _, form := range []struct{ magic, mime, name string }{
		{"\x89PNG\r\n\x1a\n", "image/png", "image.png"},
		{"\xff\xd8\xff", "image/jpeg", "image.jpg"},
		{"GIF8", "image/gif", "image.gif"},
		{"RIFF", "image/webp", "image.webp"},
		{"BM", "image/bmp", "image.bmp"},
	} {
		if strings.HasPrefix(string(data[:min(len(data), 16)]), form.magic) {
			return form.mime, form.name
		}
	}
	return "application/octet-stream", "image"
}
