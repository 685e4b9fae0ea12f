package im

import (
	"bytes"
	"strconv"
	"strings"
)

// A Decoder turns the bytes a client sends into requests. The zero value is ready.
type Decoder struct {
	buf      []byte // What is not yet read.
	scan     scan   // How far the object at its beginning was looked at.
	flushing bool   // What is held is at its end.
	silences int    // How many there were since the last byte.
	garbled  bool   // What comes belongs to something that was reported as no packet.
}

// Feed adds bytes of the stream. It copies b. Take all requests with Next before feeding more, which bounds what the decoder
// holds to one packet and one feed.
func (d *Decoder) Feed(b []byte) {
	d.buf = append(d.buf, b...)
	if len(b) > 0 {
		d.silences = 0
	}
}

// Pending reports whether the decoder holds something that silence ends. If the peer stays silent now, call Flush.
// Meaningful after Next returned no request and no error.
func (d *Decoder) Pending() bool { return len(d.buf) > 0 || d.scan.skipping }

// Flush declares that the peer is silent. What could be at its end is, and the following call of Next returns it; what cannot is
// waited for longer, and given up after many silences.
func (d *Decoder) Flush() {
	if d.silences++; !d.unfinished() || d.silences >= patience {
		d.flushing = true
	}
}

// unfinished reports whether what is held is only the beginning of a packet: of its route, of its object, or of one that is
// nothing without an object.
func (d *Decoder) unfinished() bool {
	if d.scan.depth > 0 {
		return true
	}
	if len(d.buf) == 0 {
		return false
	}
	route, n, fault := head(d.buf)
	return !fault && (n == 0 || n == len(d.buf) && needsObject(route))
}

// needsObject reports whether a request of that route has fields that it must have.
func needsObject(route string) bool {
	switch route {
	case "login", "register", "message", "broadcast", "whoelsesince", "block", "unblock", "startprivate", "P2P", "P2PDECLINE",
		"searchFile", "searchfile", "searchChunk", "searchchunk":
		return true
	}
	return false
}

// Next returns the next request. ok is false when more bytes are needed. An error is a *SyntaxError and stands for one
// packet; the next call goes on behind it.
func (d *Decoder) Next() (req Request, ok bool, err error) {
	req, ok, err = d.next()
	if !ok && err == nil {
		d.flushing = false
		if len(d.buf) == 0 && cap(d.buf) > bufferKeptBytes {
			d.buf = nil
		}
	}
	return req, ok, err
}

func (d *Decoder) next() (Request, bool, error) {
	if d.garbled {
		n := bytes.IndexAny(d.buf, packetStarts)
		if d.garbled = n < 0; d.garbled {
			n = len(d.buf)
		}
		d.use(n)
	}
	if d.scan.depth == 0 {
		d.use(len(d.buf) - len(bytes.TrimLeft(d.buf, " \t\r\n")))
	}
	if len(d.buf) == 0 && !d.scan.skipping {
		return nil, false, nil
	}
	if d.scan.skipping {
		return d.object("", 0)
	}
	route, head, fault := head(d.buf)
	switch {
	case fault:
		return d.garbage()
	case head == 0 && d.flushing:
		return d.garbage()
	case head == 0:
		return nil, false, nil
	case head == len(d.buf) && !d.flushing:
		return nil, false, nil // There may be an object.
	case head == len(d.buf), d.buf[head] == '[', d.buf[head] == '\n', d.buf[head] == '\r':
		packet := d.use(head)
		return request(route, fields{}, packet)
	case d.buf[head] != '{':
		return d.garbage()
	}
	return d.object(route, head)
}

// use consumes n bytes and returns them.
func (d *Decoder) use(n int) []byte {
	b := d.buf[:n:n]
	d.buf = d.buf[n:]
	return b
}

// head looks at "[route] ". n is its length, 0 if there is more of it to come; fault: it is none.
func head(b []byte) (route string, n int, fault bool) {
	if b[0] != '[' {
		return "", 0, true
	}
	end := 1
	for end < len(b) && isAlnum(b[end]) {
		end++
	}
	switch {
	case end-1 > routeBytesMax:
		return "", 0, true
	case end == len(b):
		return "", 0, false
	case b[end] != ']' || end == 1:
		return "", 0, true
	}
	route = string(b[1:end])
	for end++; end < len(b) && (b[end] == ' ' || b[end] == '\t'); end++ {
	}
	if end > routeBytesMax+garbageBytesMax {
		return "", 0, true
	}
	return route, end, false
}

// packetStarts are the characters behind which, or at which, a packet may begin after something that is none.
const packetStarts = "[\n"

// garbage reports what begins no packet, up to what may begin one. What is longer than it is looked at is one report, too.
func (d *Decoder) garbage() (Request, bool, error) {
	n := bytes.IndexAny(d.buf[1:], packetStarts) + 1
	if n == 0 {
		if n = len(d.buf); n < garbageBytesMax && !d.flushing {
			return nil, false, nil
		}
		d.garbled = !d.flushing
	}
	return nil, false, syntaxError(d.use(n), "[route] {…}")
}

// A scan looks for the end of an object, byte by byte.
type scan struct {
	at       int // How many bytes of buf were looked at.
	depth    int // Of braces; 0: not in an object.
	quote    byte
	escaped  bool
	skipping bool // The object is too long: its bytes are thrown away.
}

// object reads the object at head.
func (d *Decoder) object(route string, head int) (Request, bool, error) {
	s := &d.scan
	if s.depth == 0 {
		s.at = head
	}
	for ; s.at < len(d.buf); s.at++ {
		ended, broken := s.step(d.buf[s.at])
		switch {
		case broken:
			return d.giveUp(s.at, "a text that ends in its line")
		case ended:
			return d.whole(route, head)
		}
	}
	switch {
	case d.flushing:
		return d.giveUp(len(d.buf), "an object that ends")
	case !s.skipping && len(d.buf) > PacketBytesMax:
		s.skipping = true
		d.use(s.at)
		s.at = 0
		return nil, false, &SyntaxError{Want: "at most " + strconv.Itoa(PacketBytesMax) + " bytes", TooLong: true}
	case s.skipping:
		d.use(s.at)
		s.at = 0
	}
	return nil, false, nil
}

// step looks at one byte.
func (s *scan) step(c byte) (ended, broken bool) {
	switch {
	case s.quote != 0 && c == '\n': // No text has that in it, so the quote was never closed: what follows is something else.
		return false, true
	case s.escaped:
		s.escaped = false
	case s.quote != 0 && c == '\\':
		s.escaped = true
	case s.quote != 0 && c == s.quote:
		s.quote = 0
	case s.quote != 0:
	case c == '"' || c == '\'':
		s.quote = c
	case c == '{':
		s.depth++
	case c == '}':
		s.depth--
		return s.depth == 0, false
	}
	return false, false
}

// giveUp gives up an object, of which n bytes belong to it.
func (d *Decoder) giveUp(n int, want string) (Request, bool, error) {
	skipped := d.scan.skipping
	d.scan = scan{}
	packet := d.use(n)
	if skipped {
		return d.next() // It was reported when it became too long.
	}
	return nil, false, syntaxError(packet, want)
}

// whole reads an object whose last byte is at scan.at.
func (d *Decoder) whole(route string, head int) (Request, bool, error) {
	end, skipped := d.scan.at+1, d.scan.skipping
	d.scan = scan{}
	packet := d.use(end)
	if skipped {
		return d.next() // It was reported when it became too long.
	}
	if len(packet) > PacketBytesMax {
		return nil, false, &SyntaxError{Want: "at most " + strconv.Itoa(PacketBytesMax) + " bytes", TooLong: true}
	}
	f, ok := readObject(packet[head:])
	if !ok {
		return nil, false, syntaxError(packet, "an object of texts and numbers")
	}
	return request(route, f, packet)
}

// request turns a packet into its value.
func request(route string, f fields, packet []byte) (Request, bool, error) {
	var missing string
	need := func(names ...string) string {
		v, ok := f.get(names...)
		if !ok {
			missing = names[0]
		}
		return v
	}
	var req Request
	switch route {
	case "login":
		password, has := f.get("password")
		req = Login{User: need("user", "username"), Password: password, HasPassword: has}
	case "register":
		if _, ok := f.get("filename", "file"); ok {
			return fileRequest(route, f, packet)
		}
		req = Register{User: need("user", "username"), Password: need("password")}
	case "message":
		req = Message{To: need("reciever", "receiver"), Text: need("message")}
	case "broadcast":
		req = Broadcast{Text: need("message")}
	case "whoelse":
		req = WhoElse{}
	case "whoelsesince":
		seconds, err := strconv.ParseInt(strings.TrimSpace(need("time")), 10, 64)
		if missing == "" && (err != nil || seconds < 0) {
			return nil, false, syntaxError(packet, "a number of seconds")
		}
		req = WhoElseSince{Seconds: seconds}
	case "block":
		req = Block{User: need("block", "user", "username")}
	case "unblock":
		req = Unblock{User: need("unblock", "user", "username")}
	case "startprivate":
		file, _ := f.get("filename", "file")
		req = StartPrivate{Target: need("target", "user", "username"), File: file}
	case "P2P":
		port, err := strconv.Atoi(need("port"))
		if missing == "" && (err != nil || port < 1 || port > 65535) {
			return nil, false, syntaxError(packet, "a port")
		}
		req = Accept{IP: need("ip"), Port: port, Origin: need("origin"), Target: need("target")}
	case "P2PDECLINE":
		req = Decline{Origin: need("origin"), Target: need("target")}
	case "searchFile", "searchfile", "searchChunk", "searchchunk":
		return fileRequest(route, f, packet)
	case "refresh":
		req = Refresh{}
	case "logout":
		req = Logout{}
	default:
		req = Unknown{Route: route}
	}
	if missing != "" {
		return nil, false, syntaxError(packet, strconv.Quote(missing))
	}
	return req, true, nil
}
