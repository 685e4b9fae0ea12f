package labtest

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"
)

// A labServer is a server of the lab protocol that shares no code with ours: it is right, but for the faults it is told
// to have.
type labServer struct {
	t         *testing.T
	listener  net.Listener
	specified bool            // The document to the letter, otherwise what the course's tester wants.
	faults    map[string]bool // By the names of brokenServers.
	serving   sync.WaitGroup

	mu      sync.Mutex
	conns   []*labConn
	rooms   []*labRoom // The ROOM_REF is the index and one more.
	clients int        // JOIN_IDs given.
	dead    bool
}

type labRoom struct {
	name    string
	ref     string
	members []*labMember
}

type labMember struct {
	conn *labConn
	name string
	id   string
}

type labConn struct {
	net.Conn
	ids    map[string]string // JOIN_ID by name.
	left   map[string]bool   // LEAVEs answered.
	inRoom bool              // Has been in one.
}

// newLabServer starts a server that lives until the test ends or KILL_SERVICE comes.
func newLabServer(t *testing.T, specified bool, faults ...string) *labServer {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &labServer{t: t, listener: ln, specified: specified, faults: make(map[string]bool)}
	for _, f := range faults {
		s.faults[f] = true
	}
	s.serving.Go(s.accept)
	t.Cleanup(func() {
		s.die()
		s.serving.Wait()
	})
	return s
}

func (s *labServer) addr() string { return s.listener.Addr().String() }

func (s *labServer) has(fault string) bool { return s.faults[fault] }

func (s *labServer) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		conn := &labConn{Conn: c, ids: make(map[string]string), left: make(map[string]bool)}
		s.mu.Lock()
		s.conns = append(s.conns, conn)
		s.mu.Unlock()
		if s.has("serves one at a time") {
			s.serve(conn)
			continue
		}
		s.serving.Go(func() { s.serve(conn) })
	}
}

// die ends everything, as the end of a process does.
func (s *labServer) die() {
	_ = s.listener.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead = true
	for _, c := range s.conns {
		_ = c.Close()
	}
}

// serve reads requests. A message whose end is missing is taken as ended after a pause.
func (s *labServer) serve(c *labConn) {
	defer s.gone(c)
	var text string
	b := make([]byte, 64<<10)
	for {
		pause := time.Time{}
		if strings.TrimSpace(text) != "" {
			pause = time.Now().Add(250 * time.Millisecond) // Between two pieces a busy machine may take some time, too.
		}
		_ = c.SetReadDeadline(pause)
		n, err := c.Read(b)
		idle := false
		if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
			idle = true
		} else if err != nil {
			return
		}
		if s.has("crashes on bytes that are no text") && !utf8.Valid(b[:n]) {
			s.die()
			return
		}
		if s.has("does not know CRLF") && strings.Contains(string(b[:n]), "\r") {
			continue
		}
		text += strings.ReplaceAll(string(b[:n]), "\r\n", "\n")
		for {
			request, rest, ok := nextRequest(text, idle)
			text = rest
			if !ok {
				break
			}
			if !s.handle(c, request) {
				return
			}
			if s.has("takes one message of a segment") {
				text = ""
			}
		}
		if s.has("drops a split message") {
			text = ""
		}
		if len(text) > 64<<10 {
			return
		}
	}
}

// nextRequest cuts the first request off text: its lines. idle says that no more comes for now.
func nextRequest(text string, idle bool) (lines []string, rest string, ok bool) {
	text = strings.TrimLeft(text, "\n")
	head, _, _ := strings.Cut(text, ":")
	if head == "CHAT" {
		message, after, ended := strings.Cut(text, "\n\n")
		if !ended && !(idle && strings.Contains(text, "\nMESSAGE:")) {
			return nil, text, false
		}
		return strings.Split(strings.TrimRight(message, "\n"), "\n"), after, true
	}
	need := map[string]int{"JOIN_CHATROOM": 4, "LEAVE_CHATROOM": 3, "DISCONNECT": 3}[head]
	if need == 0 {
		need = 1
	}
	if all := strings.SplitN(text, "\n", need+1); len(all) == need+1 {
		return all[:need], all[need], true
	} else if idle && len(all) == need && all[need-1] != "" {
		return all, "", true
	}
	return nil, text, false
}

// field is the value of a line with this key.
func field(lines []string, key string) (string, bool) {
	for _, l := range lines {
		if v, found := strings.CutPrefix(l, key+":"); found {
			return strings.TrimSpace(v), true
		}
	}
	return "", false
}

// handle carries out a request and reports whether the connection goes on.
func (s *labServer) handle(c *labConn, lines []string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	head, _, _ := strings.Cut(lines[0], ":")
	name, named := field(lines, "CLIENT_NAME")
	switch {
	case strings.HasPrefix(lines[0], "HELO"):
		s.helo(c, lines[0])
	case lines[0] == "KILL_SERVICE":
		return s.kill()
	case head == "JOIN_CHATROOM" || head == "LEAVE_CHATROOM" || head == "CHAT" || head == "DISCONNECT":
		if !named {
			s.fail(c, 1, "a line is missing")
			break
		}
		switch head {
		case "JOIN_CHATROOM":
			s.join(c, lines, name)
		case "LEAVE_CHATROOM":
			return s.leave(c, lines, name)
		case "CHAT":
			s.chat(c, lines, name)
		case "DISCONNECT":
			return s.disconnect(c)
		}
	case s.has("ends the connection for an unknown line"):
		return false
	}
	return true
}

func (s *labServer) helo(c *labConn, line string) {
	host, port, _ := net.SplitHostPort(c.LocalAddr().String())
	student := "12345678"
	switch {
	case s.has("says a fixed HELO"):
		line = strings.Join(strings.Fields(line), " ")
	case s.has("says 0.0.0.0"):
		host = "0.0.0.0"
	case s.has("says the client's port"):
		_, port, _ = net.SplitHostPort(c.RemoteAddr().String())
	case s.has("has no student"):
		student = ""
	}
	reply := fmt.Sprintf("%s\nIP:%s\nPort:%s\nStudentID:%s\n", line, host, port, student)
	if s.has("says StudentID first") {
		reply = fmt.Sprintf("%s\nStudentID:%s\nIP:%s\nPort:%s\n", line, student, host, port)
	}
	if s.has("answers character by character") {
		for i := range len(reply) {
			_, _ = c.Write([]byte(reply[i : i+1])) // A lost client is not its business.
		}
		return
	}
	s.write(c, reply)
}

func (s *labServer) kill() bool {
	if s.has("keeps running after KILL_SERVICE") {
		return true
	}
	_ = s.listener.Close()
	if !s.has("keeps connections after KILL_SERVICE") {
		for _, c := range s.conns {
			_ = c.Close()
		}
	}
	return true
}

// write sends a reply, in the spelling of the fault.
func (s *labServer) write(c *labConn, text string) {
	if s.has("answers with CRLF") {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	if s.has("writes no space") {
		for _, key := range []string{"JOINED_CHATROOM", "SERVER_IP", "PORT", "ROOM_REF", "JOIN_ID", "CLIENT_NAME", "MESSAGE", "CHAT"} {
			text = strings.ReplaceAll("\n"+text, "\n"+key+": ", "\n"+key+":")[1:]
		}
	}
	_, _ = c.Write([]byte(text)) // A lost client is not its business.
}

func (s *labServer) fail(c *labConn, code int, text string) {
	if !s.has("sends no errors") {
		s.write(c, fmt.Sprintf("ERROR_CODE: %d\nERROR_DESCRIPTION: %s\n", code, text))
	}
}

// tell sends a CHAT to the members of a room.
func (s *labServer) tell(r *labRoom, name, text string, to ...*labMember) {
	ref, end := r.ref, "\n\n"
	if s.has("names the room in CHAT") && !strings.Contains(text, "this chatroom") {
		ref = r.name
	}
	if s.has("ends CHAT with one newline") {
		end = "\n"
	}
	b := fmt.Sprintf("CHAT: %s\nCLIENT_NAME: %s\nMESSAGE: %s%s", ref, name, text, end)
	if s.has("forwards JOIN_ID") {
		b = fmt.Sprintf("CHAT: %s\nJOIN_ID: 1\nCLIENT_NAME: %s\nMESSAGE: %s%s", ref, name, text, end)
	}
	done := make(map[*labConn]bool)
	for _, m := range to {
		if !done[m.conn] {
			done[m.conn] = true
			s.write(m.conn, b)
		}
	}
}

func (s *labServer) room(name string) *labRoom {
	for _, r := range s.rooms {
		if r.name == name {
			return r
		}
	}
	r := &labRoom{name: name, ref: strconv.Itoa(len(s.rooms) + 1)}
	if s.has("has words for numbers") {
		r.ref = "room" + r.ref
	}
	s.rooms = append(s.rooms, r)
	return r
}

func (s *labServer) byRef(ref string) *labRoom {
	for _, r := range s.rooms {
		if r.ref == ref {
			return r
		}
	}
	return nil
}

func (r *labRoom) member(c *labConn, name string) *labMember {
	for _, m := range r.members {
		if m.conn == c && m.name == name {
			return m
		}
	}
	return nil
}

func (s *labServer) join(c *labConn, lines []string, name string) {
	roomName, _ := field(lines, "JOIN_CHATROOM")
	r := s.room(roomName)
	if s.has("forgets empty rooms") && len(r.members) == 0 && c.left[r.ref] {
		r.ref = strconv.Itoa(1000 + len(s.rooms))
		c.left = make(map[string]bool)
	}
	c.inRoom = true
	id := c.ids[name]
	if id == "" || s.has("changes JOIN_ID") {
		if s.clients++; s.has("has one JOIN_ID for all") {
			s.clients = 7
		}
		id = strconv.Itoa(s.clients)
		c.ids[name] = id
	}
	m := r.member(c, name)
	if m == nil {
		m = &labMember{conn: c, name: name}
		r.members = append(r.members, m)
	}
	m.id = id
	notice := func() {
		to := r.members
		switch {
		case s.has("does not tell the joiner"):
			to = slices.DeleteFunc(slices.Clone(to), func(o *labMember) bool { return o == m })
		case s.has("tells only the joiner"):
			to = []*labMember{m}
		case s.has("tells everybody who joins"):
			to = nil
			for _, r := range s.rooms {
				to = append(to, r.members...)
			}
		}
		text := name + " has joined this chatroom."
		if s.has("does not say who joins") {
			text = "somebody has joined this chatroom."
		}
		s.tell(r, name, text, to...)
	}
	if s.has("tells the room before it answers") {
		notice()
	}
	host, port, _ := net.SplitHostPort(c.LocalAddr().String())
	switch {
	case s.has("gives its IPv4 address as IPv6"):
		host = "::ffff:" + host
	case s.has("shouts the room's name"):
		roomName = strings.ToUpper(roomName)
	}
	reply := fmt.Sprintf("JOINED_CHATROOM: %s\nSERVER_IP: %s\nPORT: %s\nROOM_REF: %s\nJOIN_ID: %s\n", roomName, host, port, r.ref, id)
	switch {
	case s.has("wrong order of fields"):
		reply = fmt.Sprintf("JOINED_CHATROOM: %s\nPORT: %s\nSERVER_IP: %s\nJOIN_ID: %s\nROOM_REF: %s\n", roomName, port, host, id, r.ref)
	case s.has("blank line after JOINED"):
		reply += "\n"
	}
	s.write(c, reply)
	if !s.has("tells the room before it answers") {
		notice()
	}
}

func (s *labServer) leave(c *labConn, lines []string, name string) bool {
	ref, _ := field(lines, "LEAVE_CHATROOM")
	id, _ := field(lines, "JOIN_ID")
	if s.has("answers LEAVE once") && c.left[ref] {
		return true
	}
	r := s.byRef(ref)
	if r == nil && s.specified {
		s.fail(c, 3, "no such room")
		return true
	}
	c.left[ref] = true
	answer := fmt.Sprintf("LEFT_CHATROOM: %s\nJOIN_ID: %s\n", ref, id)
	switch {
	case s.has("blank line after LEFT"):
		answer += "\n"
	case s.has("answers LEAVE with another JOIN_ID"):
		answer = fmt.Sprintf("LEFT_CHATROOM: %s\nJOIN_ID: %s9\n", ref, id)
	}
	s.write(c, answer)
	if r != nil {
		s.remove(r, c, name)
	}
	return !s.has("ends the connection at LEAVE")
}

// remove takes a member out of a room and tells the others, and itself where the tester wants that.
func (s *labServer) remove(r *labRoom, c *labConn, name string) {
	m := r.member(c, name)
	if m == nil {
		return
	}
	before := slices.Clone(r.members)
	r.members = slices.DeleteFunc(r.members, func(o *labMember) bool { return o == m })
	to := before
	if s.specified {
		to = slices.Clone(r.members)
	}
	switch {
	case s.has("sends the leaver its notice"):
		to = before
	case s.has("forgets leave notices"):
		to = nil
	}
	s.tell(r, name, name+" has left this chatroom.", to...)
	if s.has("keeps those who left") {
		r.members = before
	}
}

func (s *labServer) chat(c *labConn, lines []string, name string) {
	ref, _ := field(lines, "CHAT")
	id, _ := field(lines, "JOIN_ID")
	_, text, _ := strings.Cut(strings.Join(lines, "\n"), "\nMESSAGE:")
	text = strings.TrimPrefix(text, " ")
	r := s.byRef(ref)
	switch {
	case r == nil:
		s.fail(c, 3, "no such room")
		return
	case r.member(c, name) == nil:
		s.fail(c, 4, "not a member")
		return
	case s.specified && r.member(c, name).id != id && !s.has("changes JOIN_ID"):
		s.fail(c, 5, "not your JOIN_ID")
		return
	}
	to := r.members
	switch {
	case s.has("leaves out the sender"):
		to = slices.DeleteFunc(slices.Clone(to), func(m *labMember) bool { return m.conn == c })
	case s.has("answers only the sender"):
		to = []*labMember{r.member(c, name)}
	case s.has("tells those in no room"):
		to = slices.Clone(to)
		for _, other := range s.conns {
			if !other.inRoom {
				to = append(to, &labMember{conn: other})
			}
		}
	case s.has("loses one of 50") && len(r.members) == 2 && strings.HasPrefix(text, "number 50 "):
		return
	case s.has("gives up at a broken member"):
		for _, m := range to {
			if _, err := m.conn.Write(nil); m.conn.left["broken"] || err != nil {
				return
			}
		}
	}
	switch {
	case s.has("squeezes blanks"):
		text = strings.ReplaceAll(text, "  ", " ")
	case s.has("knows only ASCII"):
		text = strings.Map(func(c rune) rune {
			if c > 127 {
				return '?'
			}
			return c
		}, text)
	case s.has("ends texts at a newline"):
		text, _, _ = strings.Cut(text, "\n")
	case s.has("calls everybody client"):
		name = "client"
	case s.has("dies of protocol words") && strings.Contains(text, "KILL_SERVICE"):
		s.serving.Go(s.die)
		return
	}
	s.tell(r, name, text, to...)
	if s.has("sends everything twice") {
		s.tell(r, name, text, to...)
	}
}

// disconnect leaves all rooms and ends the connection.
func (s *labServer) disconnect(c *labConn) bool {
	if s.has("dies at DISCONNECT") {
		s.serving.Go(s.die)
		return false
	}
	rooms := slices.Clone(s.rooms)
	if s.has("leaves rooms in any order") {
		slices.Reverse(rooms)
	}
	for _, r := range rooms {
		for _, m := range slices.Clone(r.members) {
			if m.conn != c {
				continue
			}
			if s.has("closes silently on DISCONNECT") || s.has("forgets leave notices") {
				r.members = slices.DeleteFunc(r.members, func(o *labMember) bool { return o == m })
				continue
			}
			members := slices.Clone(r.members)
			r.members = slices.DeleteFunc(r.members, func(o *labMember) bool { return o == m })
			s.tell(r, m.name, m.name+" has left this chatroom.", members...)
		}
	}
	return s.has("does not close on DISCONNECT")
}

// gone forgets a connection that has ended, and tells the rooms where the document wants it.
func (s *labServer) gone(c *labConn) {
	_ = c.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns = slices.DeleteFunc(s.conns, func(o *labConn) bool { return o == c })
	c.left["broken"] = true
	if s.dead || s.has("gives up at a broken member") {
		return
	}
	for _, r := range s.rooms {
		for _, m := range slices.Clone(r.members) {
			if m.conn != c {
				continue
			}
			r.members = slices.DeleteFunc(r.members, func(o *labMember) bool { return o == m })
			if !s.has("says nothing of broken connections") {
				s.tell(r, m.name, m.name+" has left this chatroom.", r.members...)
			}
		}
	}
}
