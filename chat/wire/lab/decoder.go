package lab

import "fmt"

// A Decoder turns the bytes a client sends into requests. The zero value is ready.
type Decoder struct{ p parser }

// Feed adds bytes of the stream. It copies b. Take all requests with Next before feeding more, which bounds what
// the decoder holds to one message and one feed.
func (d *Decoder) Feed(b []byte) {
	d.p.forms = requestForms
	d.p.feed(b)
}

// Next returns the next request. ok is false when more bytes are needed. An error is a *SyntaxError and stands
// for one malformed message; the next call goes on behind it.
func (d *Decoder) Next() (req Request, ok bool, err error) {
	d.p.forms = requestForms
	m, ok, err := d.p.next()
	if err != nil || !ok {
		return nil, false, err
	}
	return m.request(), true, nil
}

// Pending reports whether the decoder holds what may be a whole message that only lacks its end. If the peer
// stays silent now, call Flush. Once the peer has ended a message of that kind properly, Pending stays false
// for the kind. Meaningful after Next returned no request and no error.
func (d *Decoder) Pending() bool {
	d.p.forms = requestForms
	return d.p.pending()
}

// Flush declares that the pending message is at its end; the following call of Next returns it. Without a
// pending message it does nothing.
func (d *Decoder) Flush() { d.p.flushing = true }

// request turns the message, of one of requestForms, into its value.
func (m *message) request() Request {
	switch m.form {
	case heloForm:
		return Helo{Line: m.head}
	case killForm:
		return Kill{}
	case joinForm:
		return Join{Room: m.head, ClientIP: m.vals[0], Port: m.vals[1], Name: m.vals[2]}
	case leaveForm:
		return Leave{Room: m.head, JoinID: m.vals[0], Name: m.vals[1]}
	case chatForm:
		return Chat{Room: m.head, JoinID: m.vals[0], Name: m.vals[1], Text: m.vals[2]}
	case disconnectForm:
		return Disconnect{IP: m.head, Port: m.vals[0], Name: m.vals[1]}
	case unknownForm:
		return Unknown{Line: m.head}
	default:
		panic(fmt.Sprintf("BUG: lab: no request has the form %v", m.form))
	}
}
