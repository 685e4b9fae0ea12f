package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"udpchat/chat/wire/native"
	"udpchat/reliable"
	"udpchat/reliable/message"
	"udpchat/reliable/netem"
)

var (
	clientAddr = netip.MustParseAddrPort("10.0.0.2:5000")
	serverAddr = netip.MustParseAddrPort("10.0.0.1:4000")
)

// A server is the least that speaks the protocol: logs in memory, messages stored once, and orders from the test what to do
// wrong. What it stores survives its crashes.
type server struct {
	t        *testing.T
	identity *reliable.Identity
	node     string // By another one after a restart clients are not told that they were forgotten.

	mu        sync.Mutex
	endpoint  *reliable.Endpoint // nil: it is down.
	sessions  map[*peer]bool
	logs      map[string]*storedLog
	tokens    map[string]string // Device by token.
	devices   int
	asked     []native.Request                   // Everything, in the order it came.
	refuse    func(native.Request) *native.Error // nil: it refuses nothing.
	mute      func(native.Request) bool          // Carried out, but not answered.
	garble    func(native.Request) bool          // Answered with something that cannot be decoded.
	files     map[string]*storedFile
	breakAt   int           // A transfer is broken off once when it comes here; 0: not.
	lag       time.Duration // Its clock is ahead by that.
	everybody []string      // Who is there, and everybody's contacts.
	onePage   bool          // It lists the first of them only.
	eager     bool          // What happens is pushed before it is answered.
	foreign   string        // It speaks another protocol, and says that first; empty: it does not.
	tasks     sync.WaitGroup
}

type storedLog struct {
	epoch  string
	events []native.Event
	peers  []string // Of a direct conversation.
	mark   uint64   // Up to where it was read, by whomever is asking.
}

type storedFile struct {
	digest string
	bytes  []byte
	size   int
	whole  bool
}

type peer struct {
	s       *server
	conn    net.Conn
	account string
	device  string
	logs    map[string]bool
	file    *storedFile
}

func newServer(t *testing.T) *server {
	t.Helper()
	id, err := reliable.NewIdentity(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &server{t: t, identity: id, sessions: map[*peer]bool{}, logs: map[string]*storedLog{}, tokens: map[string]string{}, files: map[string]*storedFile{}}
}

// overTLS has the server accept TLS connections on loopback, too.
func (s *server) overTLS() (addr string, key reliable.Key) {
	s.t.Helper()
	return listenTLS(s.t, alpn, 0, s.serve)
}

// up starts the server on the network.
func (s *server) up(w *netem.Network) {
	s.t.Helper()
	sock, err := w.ListenPacket(serverAddr)
	if err != nil {
		s.t.Fatal(err)
	}
	ep, err := reliable.NewEndpoint(sock, reliable.Config{Identity: s.identity, Node: s.node, Streams: 4})
	if err != nil {
		s.t.Fatal(err)
	}
	s.mu.Lock()
	s.endpoint = ep
	s.mu.Unlock()
	s.tasks.Go(func() {
		for {
			conn, err := ep.Accept()
			if err != nil {
				return
			}
			s.tasks.Go(func() { s.serve(conn) })
			s.tasks.Go(func() {
				for {
					bulk, err := conn.(*reliable.Conn).AcceptStream(context.Background())
					if err != nil {
						return
					}
					s.tasks.Go(func() { s.serve(bulk) })
				}
			})
		}
	})
}

// crash ends the server as a kill does: nobody is told anything, and nothing on its way leaves.
func (s *server) crash(w *netem.Network) {
	w.Path(serverAddr, clientAddr).Cut(true)
	s.down()
	w.Path(serverAddr, clientAddr).Cut(false)
}

// down ends the server and waits for it.
func (s *server) down() {
	s.mu.Lock()
	ep := s.endpoint
	s.endpoint = nil
	s.mu.Unlock()
	if ep != nil {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = ep.Shutdown(ctx)
	}
	s.tasks.Wait()
}

// serve speaks on a connection until it ends.
func (s *server) serve(conn net.Conn) {
	ss := &peer{s: s, conn: conn, logs: map[string]bool{}}
	defer conn.Close()
	if b := make([]byte, len(prologue)); !read(conn, b) || string(b) != prologue {
		return
	}
	s.mu.Lock()
	foreign := s.foreign
	s.mu.Unlock()
	if foreign != "" {
		_, _ = io.WriteString(conn, foreign) // Who does not get it finds out.
		_, _ = io.Copy(io.Discard, conn)
		return
	}
	s.mu.Lock()
	s.sessions[ss] = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.sessions, ss)
		s.mu.Unlock()
	}()
	r := message.NewReader(conn, message.Config{})
	defer r.Close()
	for {
		b, err := r.Next()
		if err != nil {
			return
		}
		head, what, err := native.DecodeRequest(b)
		if err != nil {
			s.t.Errorf("the client sent %v: %v", head, err)
			return
		}
		s.mu.Lock()
		s.asked = append(s.asked, what)
		reply, then := ss.carryOut(what)
		b = native.AppendReply(nil, head, reply)
		if s.garble != nil && s.garble(what) {
			b[len(b)-1] = 0xff
		}
		muted := s.mute != nil && s.mute(what)
		if s.eager {
			then()
		}
		if !muted && head.ID != 0 {
			ss.sendLocked(b)
		}
		if !s.eager {
			then()
		}
		s.mu.Unlock()
	}
}

func read(conn net.Conn, b []byte) bool {
	_, err := io.ReadFull(conn, b)
	return err == nil
}

// sendLocked writes a message.
func (ss *peer) sendLocked(b []byte) { _, _ = ss.conn.Write(message.Append(nil, b)) }

// carryOut does what is asked and returns the answer, and what comes after it.
func (ss *peer) carryOut(what native.Request) (reply native.Reply, then func()) {
	s, nothing := ss.s, func() {}
	if s.refuse != nil {
		if e := s.refuse(what); e != nil {
			return *e, nothing
		}
	}
	switch r := what.(type) {
	case native.Hello:
		return native.Welcome{Version: 1, Sent: r.Sent, Received: s.now(), Answered: s.now()}, nothing
	case native.Ping:
		return native.Pong{Sent: r.Sent, Received: s.now(), Answered: s.now()}, nothing
	case native.Register:
		return ss.enter(r.Name, ""), nothing
	case native.Guest:
		return ss.enter(r.Name, ""), nothing
	case native.LogIn:
		if r.Token == "" && r.Password != "right" || r.Token != "" && s.tokens[r.Token] == "" {
			code := native.CodeBadLogin
			if r.Token != "" {
				code = native.CodeBadToken
			}
			return native.Error{Code: code}, nothing
		}
		return ss.enter(r.Name, r.Token), nothing
	case native.Conversations:
		var list native.ConversationList
		for _, name := range slices.Sorted(maps.Keys(s.logs)) {
			if l := s.logs[name]; slices.Contains(l.peers, ss.account) && name > r.After {
				if list.More = len(list.Conversations) == 2; list.More {
					break
				}
				list.Conversations = append(list.Conversations, native.Conversation{
					Log: name, Epoch: l.epoch, Head: l.head(), Mark: l.mark, Peer: l.other(ss.account),
				})
			}
		}
		return list, nothing
	case native.Who:
		var list native.People
		rest := s.everybody
		if !s.onePage {
			rest = rest[min(int(r.Skip), len(rest)):]
		}
		list.More = len(rest) > 2
		for _, name := range rest[:min(2, len(rest))] {
			list.People = append(list.People, native.Person{Account: name, State: native.StateOnline})
		}
		return list, nothing
	case native.Contacts:
		var list native.People
		rest := s.everybody
		if i := slices.Index(rest, r.After); i >= 0 && !s.onePage {
			rest = rest[i+1:]
		}
		list.More = len(rest) > 2
		for _, name := range rest[:min(2, len(rest))] {
			list.People = append(list.People, native.Person{Account: name, Contact: native.ContactMine})
		}
		return list, nothing
	case native.Join:
		l := s.log(r.Room)
		ss.logs[r.Room] = true
		return l.newest(r.Room, int(r.N)), nothing
	case native.Direct:
		name := "dm/" + min(ss.account, r.Peer) + "/" + max(ss.account, r.Peer)
		l := s.log(name)
		l.peers = []string{ss.account, r.Peer}
		ss.logs[name] = true
		p := l.newest(name, int(r.N))
		p.Peer = r.Peer
		return p, nothing
	case native.Attach:
		l := s.log(r.Log)
		ss.logs[r.Log] = true
		if r.Epoch == l.epoch {
			page := l.after(r.After, int(r.N))
			return native.Place{Log: r.Log, Epoch: l.epoch, Head: l.head(), Events: page.Events, More: page.More}, nothing
		}
		p := l.newest(r.Log, int(r.N))
		p.Reload = r.Epoch != ""
		return p, nothing
	case native.History:
		l := s.log(r.Log)
		if r.Epoch != "" && r.Epoch != l.epoch {
			return native.Error{Code: native.CodeEpoch}, nothing
		}
		if r.After != 0 || r.Around != 0 { // Nobody here asks for what is before Around.
			return l.after(r.After+r.Around-min(r.Around, 1), int(r.N)), nothing
		}
		p := l.newest(r.Log, int(r.N))
		return native.Page{Epoch: p.Epoch, Events: p.Events, More: p.More}, nothing
	case native.Say:
		return ss.say(r)
	case native.Upload:
		f := s.file(r.Digest)
		f.size = int(r.Size)
		if f.whole {
			return native.Ticket{Size: r.Size, Digest: r.Digest}, nothing
		}
		return native.Ticket{Token: "up/" + hex.EncodeToString(r.Digest), Offset: uint64(len(f.bytes)), Size: r.Size, Digest: r.Digest}, nothing
	case native.Download:
		for _, ev := range s.log(r.Log).events {
			if ev.Seq == r.Seq && ev.File != nil {
				return native.Ticket{Token: "down/" + hex.EncodeToString(ev.File.Digest), Size: ev.File.Size, Digest: ev.File.Digest}, nothing
			}
		}
		return native.Error{Code: native.CodeNoFile}, nothing
	case native.Transfer:
		way, digest, _ := strings.Cut(r.Token, "/")
		raw, err := hex.DecodeString(digest)
		if err != nil {
			return native.Error{Code: native.CodeBadToken}, nothing
		}
		ss.file = s.file(raw)
		if way == "up" {
			return native.Transferring{Offset: uint64(len(ss.file.bytes)), Size: uint64(ss.file.size), Upload: true}, nothing
		}
		return native.Transferring{Offset: r.Offset, Size: uint64(ss.file.size)}, func() {
			s.tasks.Go(func() { ss.sendFile(ss.file.bytes, int(r.Offset)) }) // Not under the lock: writing waits for the reader.
		}
	case native.Private:
		out := r
		out.Peer, out.Device, out.Seen = ss.account, ss.device, ss.conn.RemoteAddr().String()
		for other := range s.sessions {
			if other.account == r.Peer {
				other.sendLocked(native.AppendPush(nil, out))
			}
		}
	case native.Chunk:
		ss.takeLocked(r)
	case native.Finish:
		if sum := sha256.Sum256(ss.file.bytes); string(sum[:]) != ss.file.digest {
			return native.Error{Code: native.CodeChecksum}, nothing
		}
		ss.file.whole = true
	}
	return native.Done{}, nothing
}

func (s *server) now() native.Instant { return native.At(time.Now().Add(s.lag)) }

// enter logs a session in, as a new device unless there is a token.
func (ss *peer) enter(name, token string) native.LoggedIn {
	s := ss.s
	l := native.LoggedIn{Account: name, Own: "ac/" + name}
	if token == "" {
		s.devices++
		l.Token = fmt.Sprintf("token-%d", s.devices)
		s.tokens[l.Token] = fmt.Sprintf("%s/d%d", name, s.devices)
		token = l.Token
	}
	account, device, _ := strings.Cut(s.tokens[token], "/")
	l.Account, l.Own, l.Device = account, "ac/"+account, device
	ss.account, ss.device = account, device
	return l
}

// say stores a message once and tells everybody.
func (ss *peer) say(r native.Say) (native.Reply, func()) {
	l := ss.s.log(r.Log)
	for _, ev := range l.events {
		if ev.Device == ss.device && ev.Counter == r.Counter {
			if ev.Text != r.Text {
				return native.Error{Code: native.CodeReused}, func() {}
			}
			return native.Said{Seq: ev.Seq, Time: ev.Time}, func() {}
		}
	}
	ev := native.Event{
		Log: r.Log, Kind: native.KindSaid, Account: ss.account, Device: ss.device, Counter: r.Counter, Text: r.Text, File: r.File,
	}
	if r.File != nil {
		ev.Kind = native.KindFile
	}
	ev = ss.s.appendLocked(ev)
	return native.Said{Seq: ev.Seq, Time: ev.Time}, func() { ss.s.pushLocked(ev) }
}

func (s *server) file(digest []byte) *storedFile {
	if s.files[string(digest)] == nil {
		s.files[string(digest)] = &storedFile{digest: string(digest)}
	}
	return s.files[string(digest)]
}

// takeLocked takes a piece of an upload.
func (ss *peer) takeLocked(c native.Chunk) {
	s, f := ss.s, ss.file
	if int(c.Offset) != len(f.bytes) {
		s.t.Errorf("a chunk at %d, want one at %d", c.Offset, len(f.bytes))
	}
	f.bytes = append(f.bytes, c.Data...)
	if s.breakAt > 0 && len(f.bytes) >= s.breakAt {
		s.breakAt = 0
		ss.conn.Close()
	}
}

// sendFile sends a file from an offset on.
func (ss *peer) sendFile(content []byte, at int) {
	s := ss.s
	for at < len(content) {
		n := min(native.ChunkBytesMax, len(content)-at)
		ss.sendLocked(native.AppendPush(nil, native.Chunk{Offset: uint64(at), Data: content[at : at+n]}))
		at += n
		s.mu.Lock()
		broken := s.breakAt > 0 && at >= s.breakAt
		if broken {
			s.breakAt = 0
		}
		s.mu.Unlock()
		if broken {
			ss.conn.Close()
			return
		}
	}
	ss.sendLocked(native.AppendPush(nil, native.Finish{}))
}

// appendLocked stores an event.
func (s *server) appendLocked(ev native.Event) native.Event {
	l := s.log(ev.Log)
	ev.Seq, ev.Time = l.head()+1, s.now()
	l.events = append(l.events, ev)
	return ev
}

// pushLocked tells all sessions that are attached.
func (s *server) pushLocked(ev native.Event) {
	for ss := range s.sessions {
		if ss.logs[ev.Log] {
			ss.sendLocked(native.AppendPush(nil, ev))
		}
	}
}

// happen stores an event and tells everybody.
func (s *server) happen(ev native.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pushLocked(s.appendLocked(ev))
}

// push sends something to all sessions.
func (s *server) push(p native.Push) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ss := range s.sessions {
		ss.sendLocked(native.AppendPush(nil, p))
	}
}

// set changes what the server does.
func (s *server) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// texts returns what was said in a log, in order.
func (s *server) texts(log string) (texts []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ev := range s.log(log).events {
		texts = append(texts, ev.Text)
	}
	return texts
}

func (s *server) log(name string) *storedLog {
	if s.logs[name] == nil {
		s.logs[name] = &storedLog{epoch: fmt.Sprintf("%x", sha256.Sum256([]byte(name)))[:8]}
	}
	return s.logs[name]
}

func (l *storedLog) head() uint64 {
	if len(l.events) == 0 {
		return 0
	}
	return l.events[len(l.events)-1].Seq
}

func (l *storedLog) other(account string) string {
	for _, p := range l.peers {
		if p != account {
			return p
		}
	}
	return ""
}

func (l *storedLog) newest(name string, n int) native.Place {
	n = min(n, len(l.events))
	return native.Place{
		Log: name, Epoch: l.epoch, Head: l.head(), Mark: l.mark, Events: l.events[len(l.events)-n:], More: n < len(l.events),
	}
}

func (l *storedLog) after(seq uint64, n int) native.Page {
	rest := l.events
	for len(rest) > 0 && rest[0].Seq <= seq {
		rest = rest[1:]
	}
	n = min(n, len(rest))
	return native.Page{Epoch: l.epoch, Events: rest[:n], More: n < len(rest)}
}
