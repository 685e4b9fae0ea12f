package hashchat

import (
	"bytes"
	"slices"
)

// A Decoder turns the bytes a client sends into requests. The zero value is ready.
type Decoder struct {
	// CutText has a SEND's text end at a further '#', as the first server of this protocol did it (PROTOCOL.md 3.2). Set
	// before the first Feed.
	CutText bool

	l lines
}

// Feed adds bytes of the stream. It copies b. Take all requests with Next before feeding more, which bounds what the
// decoder holds to one line and one feed.
func (d *Decoder) Feed(b []byte) { d.l.feed(b) }

// Next returns the next request. ok is false when more bytes are needed. An error is a *SyntaxError and stands for one
// line; the next call goes on behind it.
func (d *Decoder) Next() (req Request, ok bool, err error) {
	line, ok, err := d.l.next()
	if err != nil || !ok {
		return nil, false, err
	}
	return d.request(line), true, nil
}

// Pending reports whether the decoder holds a line that only lacks its end. If the peer stays silent now, call Flush.
// Once the peer has ended a line properly, Pending stays false. Meaningful after Next returned no request and no error.
func (d *Decoder) Pending() bool { return d.l.pending() }

// Flush declares that the pending line is at its end; the following call of Next returns it. Without one it does nothing.
func (d *Decoder) Flush() { d.l.flushing = true }

// request turns a line into its value.
func (d *Decoder) request(line []byte) Request {
	word, rest, more := bytes.Cut(line, []byte{'#'})
	switch string(word) {
	case "CONNECT":
		if !more {
			break
		}
		name, _, _ := bytes.Cut(rest, []byte{'#'})
		return Connect{Name: string(trim(name))}
	case "SEND":
		to, text, ok := bytes.Cut(rest, []byte{'#'})
		if !ok {
			break
		}
		if d.CutText {
			text, _, _ = bytes.Cut(text, []byte{'#'})
		}
		all := string(to) == "*"
		return Send{All: all, To: names(to), Text: string(trim(text))}
	case "CLOSE":
		return Close{}
	}
	return Unknown{Line: string(line)}
}

// names returns the names in a list that can be somebody's.
func names(list []byte) []string {
	var all []string
	for name := range bytes.SplitSeq(list, []byte{','}) {
		if name = trim(name); len(name) == 0 || string(name) == "*" || slices.Contains(all, string(name)) {
			continue
		}
		if all = append(all, string(name)); len(all) == NamesMax {
			break
		}
	}
	return all
}

// A ReplyDecoder turns the bytes a server sends into replies. The zero value is ready; its methods are those of a
// Decoder.
type ReplyDecoder struct{ l lines }

// Feed adds bytes of the stream. It copies b.
func (d *ReplyDecoder) Feed(b []byte) { d.l.feed(b) }

// Next returns the next reply, like Decoder.Next.
func (d *ReplyDecoder) Next() (rep Reply, ok bool, err error) {
	line, ok, err := d.l.next()
	if err != nil || !ok {
		return nil, false, err
	}
	return reply(line), true, nil
}

// reply turns a line into its value. The number of a CLOSE is not looked at: the line counts as soon as CLOSE# is there.
func reply(line []byte) Reply {
	word, rest, more := bytes.Cut(line, []byte{'#'})
	switch {
	case !more:
	case string(word) == "ONLINE":
		var all []string
		for name := range bytes.SplitSeq(rest, []byte{','}) {
			if len(name) > 0 {
				all = append(all, string(name))
			}
		}
		return Online{Names: all}
	case string(word) == "MESSAGE":
		if from, text, ok := bytes.Cut(rest, []byte{'#'}); ok {
			return Message{From: string(from), Text: string(text)}
		}
	case string(word) == "CLOSE":
		return Closed{}
	}
	return UnknownReply{Line: string(line)}
}
