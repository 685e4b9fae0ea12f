package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/term"

	wire "udpchat/chat/wire/lab"
	"udpchat/client/lab"
	"udpchat/cmd/internal/port"
	"udpchat/reliable"
)

// A fakeClient is a chatter that answers like a server with every room, and keeps what it was asked.
type fakeClient struct {
	events chan lab.Event
	closed sync.Once

	mu    sync.Mutex
	asked []string // What was asked for, in order.
	rooms []lab.Room
	err   error                                        // Of Err.
	join  func(ctx context.Context, room string) error // Instead of success; nil: success.
	say   func(ctx context.Context, text string) error // The same.
	flush func(ctx context.Context) error              // The same.
	hello time.Duration                                // How long the server takes to answer.
	link  *reliable.ConnStats
}

func newFakeClient() *fakeClient { return &fakeClient{events: make(chan lab.Event, 100)} }

func (f *fakeClient) note(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, fmt.Sprintf(format, args...))
}

func (f *fakeClient) Join(ctx context.Context, room string) (lab.Room, error) {
	f.note("join %s", room)
	if f.join != nil {
		if err := f.join(ctx, room); err != nil {
			return lab.Room{}, err
		}
	}
	r := lab.Room{Name: room, Ref: "7", JoinID: "1"}
	f.mu.Lock()
	f.rooms = append(f.rooms, r)
	f.mu.Unlock()
	f.events <- lab.Event{Kind: lab.KindNotice, Room: room, Name: "ann", Text: "ann has joined this chatroom."}
	return r, nil
}

func (f *fakeClient) Leave(_ context.Context, room string) error {
	f.note("leave %s", room)
	f.mu.Lock()
	defer f.mu.Unlock()
	before := len(f.rooms)
	f.rooms = slices.DeleteFunc(f.rooms, func(r lab.Room) bool { return r.Name == room })
	if len(f.rooms) == before {
		return fmt.Errorf("room %q: %w", room, lab.ErrNotJoined)
	}
	return nil
}

func (f *fakeClient) Say(ctx context.Context, room, text string) error {
	f.note("say %s: %s", room, text)
	if f.say != nil {
		return f.say(ctx, text)
	}
	f.events <- lab.Event{Kind: lab.KindSaid, Room: room, Name: "ann", Text: text, Mine: true}
	return nil
}

func (f *fakeClient) Hello(context.Context, string) (wire.HeloReply, error) {
	time.Sleep(f.hello)
	return wire.HeloReply{}, nil
}

func (f *fakeClient) Flush(ctx context.Context) error {
	f.note("flush")
	if f.flush != nil {
		return f.flush(ctx)
	}
	return nil
}

func (f *fakeClient) Disconnect(context.Context) error {
	f.note("disconnect")
	f.end(nil)
	return nil
}

// end ends the client once, like a connection that was closed (nil) or lost.
func (f *fakeClient) end(err error) {
	f.closed.Do(func() {
		f.mu.Lock()
		f.err = err
		f.mu.Unlock()
		close(f.events)
	})
}

func (f *fakeClient) Rooms() []lab.Room {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.rooms)
}

func (f *fakeClient) Events() <-chan lab.Event { return f.events }

func (f *fakeClient) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

func (f *fakeClient) LocalAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:5000"))
}
func (f *fakeClient) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:4000"))
}
func (f *fakeClient) Callback() netip.AddrPort { return netip.AddrPort{} }
func (f *fakeClient) LinkStats() (reliable.ConnStats, bool) {
	if f.link == nil {
		return reliable.ConnStats{}, false
	}
	return *f.link, true
}
func (f *fakeClient) CallbackStats() (reliable.ConnStats, bool) { return reliable.ConnStats{}, false }

// A chatRun is what became of one chat.
type chatRun struct {
	asked          []string
	stdout, stderr string
	err            error
}

// code is the exit code.
func (r chatRun) code() int { return report(io.Discard, r.err) }

// chat runs a script over a fake client. It must be called in a bubble.
func chat(ctx context.Context, f *fakeClient, rooms []string, script string) chatRun {
	var out, errOut bytes.Buffer
	r := bufio.NewReader(strings.NewReader(script))
	in := newChatInput(func() (string, error) { return readLine(r) })
	u := &chatUI{client: f, out: &scriptOutput{events: &out, other: &errOut}, server: "server:4000", transport: lab.TCP}
	err := u.run(ctx, rooms, in)
	close(in.want) // So that the reader, which waits to be asked, ends with the bubble.
	return chatRun{f.asked, out.String(), errOut.String(), err}
}

func TestChatScript(t *testing.T) {
	tests := []struct {
		name, script   string
		rooms          []string
		asked          []string // Without the flush and disconnect that end every script.
		stdout, stderr string
		code           int
	}{
		{
			name:   "lines are said in the room joined last",
			rooms:  []string{"lobby", "den"},
			script: "hello\r\n\n  \nlast line without end",
			asked:  []string{"join lobby", "join den", "say den: hello", "say den: last line without end"},
			stdout: "* [lobby] ann has joined this chatroom.\n* [den] ann has joined this chatroom.\n" +
				"[den] ann: hello\n[den] ann: last line without end\n",
		},
		{
			name:   "commands",
			script: "/join a\n/join b\n/rooms\n/room a\nin a\n/leave\nin b\n/leave b\n/rooms\n",
			asked:  []string{"join a", "join b", "say a: in a", "leave a", "say b: in b", "leave b"},
			stdout: "* [a] ann has joined this chatroom.\n* [b] ann has joined this chatroom.\n* [a]\n* [b] (current)\n" +
				"[a] ann: in a\n[b] ann: in b\n* You are in no room. /join ROOM enters one.\n",
		},
		{
			name:   "two slashes say one",
			rooms:  []string{"a"},
			script: "//join is a command\n",
			asked:  []string{"join a", "say a: /join is a command"},
			stdout: "* [a] ann has joined this chatroom.\n[a] ann: /join is a command\n",
		},
		{
			name:   "quit ends before the input does",
			rooms:  []string{"a"},
			script: "/quit\nunsaid\n",
			asked:  []string{"join a"},
			stdout: "* [a] ann has joined this chatroom.\n",
		},
		{
			name:   "what cannot be done is said and counted",
			script: "hello\n/dance now\n/join\n/rooms all\n/room x\n/leave\n/leave x\n",
			asked:  []string{"leave x"},
			stderr: "udpchat: not sent, because you are in no room: /join ROOM enters one\n" +
				"udpchat: unknown command /dance: /help lists the commands; to say a line that begins with a slash, type two\n" +
				"udpchat: usage: /join ROOM: enter a room, and say the following lines there\n" +
				"udpchat: usage: /rooms takes no argument: list the rooms you are in\n" +
				"udpchat: you are not in room x: /join x enters it\n" +
				"udpchat: you are in no room\n" +
				"udpchat: you are not in room x: /rooms lists yours\n",
			code: exitFailures,
		},
		{
			name:   "a line longer than a message is refused and the next one said",
			rooms:  []string{"a"},
			script: strings.Repeat("x", wire.TextBytesMax+3) + "\nshort\n",
			asked:  []string{"join a", "say a: short"},
			stdout: "* [a] ann has joined this chatroom.\n[a] ann: short\n",
			stderr: "udpchat: not sent: a message has at most 65536 bytes\n",
			code:   exitFailures,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := chat(t.Context(), newFakeClient(), tt.rooms, tt.script)
				if want := append(tt.asked, "flush", "disconnect"); !slices.Equal(got.asked, want) {
					t.Errorf("asked %q, want %q", got.asked, want)
				}
				if !sameLines(got.stdout, tt.stdout) || got.stderr != tt.stderr || got.code() != tt.code {
					t.Errorf("code %d, stdout:\n%s\nstderr:\n%s\nwant %d, stdout:\n%s\nstderr:\n%s",
						got.code(), got.stdout, got.stderr, tt.code, tt.stdout, tt.stderr)
				}
			})
		})
	}
}

// sameLines reports whether two outputs have the same lines: answers of the client itself and events of the server are
// printed by two goroutines, in no certain order.
func sameLines(a, b string) bool {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

// The protocol has no log-in but the first JOIN: who is refused there was not let in, as one whom native refuses.
func TestChatEndsWithOneAfterARefusalAndWithTwoIfNotLetIn(t *testing.T) {
	refused := &lab.ServerError{Code: wire.CodeBadName, Description: "bad\x1b[31m\nname"}
	for name, code := range map[string]int{"in answer to the first join": exitUsage, "in answer to a line": exitFailures} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFakeClient()
				refuse := func(context.Context, string) error {
					f.events <- lab.Event{Kind: lab.KindError, Err: refused}
					return nil
				}
				if code == exitUsage {
					f.join = func(ctx context.Context, s string) error {
						return errors.Join(refuse(ctx, s), fmt.Errorf("joining: %w", refused))
					}
				} else {
					f.say = refuse
				}
				got := chat(t.Context(), f, []string{"a"}, "hello\n")
				want := "the server answered ERROR_CODE 6: bad⏎name"
				if got.err == nil || got.err.Error() != want || got.code() != code {
					t.Errorf("error %v, code %d; want %q, %d", got.err, got.code(), want, code)
				}
				if last := got.asked[len(got.asked)-1]; last != "disconnect" {
					t.Errorf("the last thing asked was %q, want a goodbye", last)
				}
			})
		})
	}
}

// waitingInput never has a line.
func waitingInput() *chatInput {
	return &chatInput{want: make(chan struct{}, 1), lines: make(chan inputLine)}
}

func TestChatLostConnectionEndsWithOne(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{io.EOF, "connection to server:4000 lost: the server closed it"},
		{errors.New("cable cut"), "connection to server:4000 lost: cable cut"},
		{fmt.Errorf("reading: %w", os.ErrDeadlineExceeded), "connection to server:4000 lost: nothing heard from the server for too long"},
		{fmt.Errorf("reading: %w", &net.OpError{Op: "read", Net: "udp", Err: syscall.ECONNREFUSED}), "connection to server:4000 lost: nobody listens there any more"},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFakeClient()
			go func() {
				time.Sleep(time.Minute)
				f.end(&lab.LostError{Server: "server:4000", Err: tt.err})
			}()
			u := &chatUI{client: f, out: &scriptOutput{events: io.Discard, other: io.Discard}, server: "server:4000"}
			err := u.run(t.Context(), nil, waitingInput())
			if err == nil || err.Error() != tt.want || report(io.Discard, err) != exitFailures {
				t.Errorf("run: %v, want %q and exit code %d", err, tt.want, exitFailures)
			}
		})
	}
}

func TestChatInterruptSaysGoodbye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeClient()
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Hour, nil)
		defer cancel()
		time.AfterFunc(time.Minute, cancel)
		u := &chatUI{client: f, out: &scriptOutput{events: io.Discard, other: io.Discard}}
		err := u.run(ctx, []string{"a"}, waitingInput())
		if report(io.Discard, err) != exitOK {
			t.Errorf("run: %v, want exit code 0", err)
		}
		if want := []string{"join a", "disconnect"}; !slices.Equal(f.asked, want) {
			t.Errorf("asked %q, want %q", f.asked, want)
		}
	})
}

func TestChatEndOfInputWaitsForWhatWasSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeClient()
		f.flush = func(ctx context.Context) error {
			<-ctx.Done()
			return fmt.Errorf("2 of our messages have not come back from the server: %w", ctx.Err())
		}
		start := time.Now()
		got := chat(t.Context(), f, []string{"a"}, "x\n")
		if d := time.Since(start); d != chatFlushWait || got.code() != exitFailures {
			t.Errorf("ended after %v with %v, want %v and a failure", d, got.err, chatFlushWait)
		}
		if !strings.Contains(got.err.Error(), "2 of our messages have not come back") {
			t.Errorf("error %q does not say what is missing", got.err)
		}
	})
}

func TestChatPacesALongScript(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lines = 3 * chatSayBurst
		f := newFakeClient()
		f.say = func(context.Context, string) error { return nil }
		start := time.Now()
		got := chat(t.Context(), f, []string{"a"}, strings.Repeat("x\n", lines))
		if d, want := time.Since(start), (lines-chatSayBurst)*chatSayEvery; d != want || got.code() != exitOK {
			t.Errorf("%d lines took %v with %v, want %v", lines, d, got.err, want)
		}
	})
}

func TestChatSilentServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeClient()
		f.join = func(ctx context.Context, room string) error { <-ctx.Done(); return ctx.Err() }
		start := time.Now()
		got := chat(t.Context(), f, []string{"a"}, "x\n")
		if d := time.Since(start); d != chatAnswerWait || got.code() != exitUsage {
			t.Errorf("ended after %v with %v, code %d; want %v, %d", d, got.err, got.code(), chatAnswerWait, exitUsage)
		}
	})
}

// A port may be for another protocol: what answers there answers something else, or closes the connection.
func TestChatSaysThatAServerSpeaksAnotherProtocol(t *testing.T) {
	for name, lost := range map[string]bool{"and stays": false, "and closes": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFakeClient()
				f.join = func(ctx context.Context, _ string) error {
					f.events <- lab.Event{Kind: lab.KindUnknown, Text: "[400] Error. Invalid command"}
					if lost {
						f.end(&lab.LostError{Err: io.EOF})
						return io.EOF
					}
					<-ctx.Done()
					return ctx.Err()
				}
				got := chat(t.Context(), f, []string{"a"}, "x\n")
				if got.err == nil || !strings.HasSuffix(got.err.Error(), " does not speak the lab protocol") || got.code() != exitUsage {
					t.Errorf("ended with %v, code %d", got.err, got.code())
				}
				if !strings.Contains(got.stderr, "[400] Error. Invalid command") {
					t.Errorf("what it said is not shown: %q", got.stderr)
				}
			})
		})
	}
}

func TestChatLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeClient()
		f.hello = 102 * time.Millisecond
		f.link = &reliable.ConnStats{
			RTT: 101500 * time.Microsecond, RTTMin: 100 * time.Millisecond, LossSent: 0.198, LossReceived: 0.2,
			DatagramsSent: 120, DatagramsReceived: 140, RecoveredByFEC: 12, Retransmits: 3,
			BytesSent: 30000, Sent: reliable.Kinds{Data: 9000, Repair: 15000, Acks: 3000}, MTU: 1200,
			BurstSent: 31 * time.Millisecond, BurstPackets: 1.5, Challenges: 2,
		}
		got := chat(t.Context(), f, nil, "/link\n")
		want := `* tcp 127.0.0.1:5000 to 127.0.0.1:4000: the server answered within 102.0 ms
* link: round trip 101.5 ms (least 100.0 ms), loss 19.8 % out and 20.0 % in
* link: 120 datagrams out, 140 in; 12 recovered by FEC, 3 retransmitted
* link: of 30.0 kB out 30 % data, 50 % redundancy, 10 % acknowledgements; datagrams of up to 1200 bytes
* link: a loss out takes 1.5 packets along, 31.0 ms on average
* link: the address of this side has changed 2 times
* TCP repeats what is lost in the kernel, which does not say how much.
`
		if got.stdout != want {
			t.Errorf("got\n%s\nwant\n%s", got.stdout, want)
		}
	})
}

// pacedLines is an input that has a line at a time of the bubble's clock.
type pacedLines struct {
	at    []time.Duration
	lines []string
	begun time.Time
}

func (p *pacedLines) next() (string, error) {
	if len(p.lines) == 0 {
		return "", io.EOF
	}
	time.Sleep(time.Until(p.begun.Add(p.at[0])))
	line := p.lines[0]
	p.at, p.lines = p.at[1:], p.lines[1:]
	return line, nil
}

func TestChatLinkLiveShowsTheLinkUntilItIsToldNotTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeClient()
		f.link = &reliable.ConnStats{RTT: 50 * time.Millisecond, LossSent: 0.1}
		var stdout, stderr bytes.Buffer
		in := &pacedLines{
			begun: time.Now(), at: []time.Duration{0, 5 * time.Second, 20 * time.Second, 23 * time.Second},
			lines: []string{"/link live", "/link live", "/link live", "/link nonsense"},
		}
		u := &chatUI{client: f, transport: "udp", out: &scriptOutput{events: &stdout, other: &stderr}}
		err := u.run(t.Context(), nil, newChatInput(in.next))
		line := "* link: round trip 50.0 ms, loss 10.0 % out and 0.0 % in, 0.0 kB/s out (0 % redundancy), 0.0 kB/s in, 0 recovered, 0 retransmitted\n"
		begins, ends := "* The link is shown every 2 s. /link live ends that.\n", "* The link is not shown any more.\n"
		if want := begins + line + line + ends + begins + line; stdout.String() != want {
			t.Errorf("got\n%s\nwant\n%s", &stdout, want)
		}
		if report(io.Discard, err) != exitFailures || !strings.Contains(stderr.String(), "/link live") {
			t.Errorf("%v, %s", err, &stderr)
		}
	})
}

func TestShowEvent(t *testing.T) {
	for _, tt := range []struct {
		ev   lab.Event
		want string
	}{
		{lab.Event{Kind: lab.KindSaid, Room: "a", Name: "bob", Text: "hi\nthere\x1b[2J"}, "[a] bob: hi⏎there"},
		{lab.Event{Kind: lab.KindSaid, Ref: "9", Name: "bob", Text: "hi"}, "[#9] bob: hi"},
		{lab.Event{Kind: lab.KindSaid, Room: "a", Name: "ann: bye\n[b] bob", Text: "hi"}, `[a] "ann: bye [b] bob": hi`},
		{lab.Event{Kind: lab.KindSaid, Room: `a] "x`, Name: "*", Text: "hi"}, `["a] 'x"] "*": hi`},
		{lab.Event{Kind: lab.KindNotice, Room: "a", Name: "b\u202eob", Text: "b\u202eob has left this chatroom."}, "* [a] bob has left this chatroom."},
		{lab.Event{Kind: lab.KindJoined, Room: "a"}, ""},
		{lab.Event{Kind: lab.KindLeft, Room: "a"}, ""},
		{lab.Event{Kind: lab.KindHello}, ""},
	} {
		if got := showEvent(tt.ev); got != tt.want {
			t.Errorf("showEvent(%+v) = %q, want %q", tt.ev, got, tt.want)
		}
	}
}

func TestReadLine(t *testing.T) {
	long := strings.Repeat("x", wire.TextBytesMax)
	r := bufio.NewReader(strings.NewReader("a\r\n\n" + long + "\n" + long + long + "\nb\n" + long + long))
	for i, want := range []struct {
		line string
		err  error
	}{{"a", nil}, {"", nil}, {long, nil}, {"", errLineTooLong}, {"b", nil}, {"", errLineTooLong}, {"", io.EOF}} {
		line, err := readLine(r)
		if line != want.line || err != want.err {
			t.Errorf("line %d: %d bytes, %v; want %d bytes, %v", i, len(line), err, len(want.line), want.err)
		}
	}
}

// TestTerminalDrawsTheTypedLineAgain types half a line, lets somebody speak, and looks at the screen.
func TestTerminalDrawsTheTypedLineAgain(t *testing.T) {
	keys, typed := io.Pipe()
	var screen lockedBuffer
	tt := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{keys, &screen}, "")
	o := &terminalOutput{t: tt, size: func() (int, int, error) { return 80, 24, nil }}
	o.prompt("lobby")
	done := make(chan string)
	go func() {
		line, _ := tt.ReadLine()
		done <- line
	}()
	for _, key := range []string{"h", "i"} { // Each is taken before the next can be written.
		if _, err := io.WriteString(typed, key); err != nil {
			t.Fatal(err)
		}
	}
	o.event("[lobby] bob: hello")
	if _, err := io.WriteString(typed, "!\r"); err != nil {
		t.Fatal(err)
	}
	if line := <-done; line != "hi!" {
		t.Errorf("read %q, want the whole line", line)
	}
	if s := screen.String(); !strings.Contains(s, "[lobby] bob: hello\r\n[lobby] > h") {
		t.Errorf("screen %q: the prompt and what was typed do not stand below the message", s)
	}
}

// A lockedBuffer may be written by two goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestChatCannotConnect(t *testing.T) {
	ports, err := port.Free(1)
	if err != nil {
		t.Fatal(err)
	}
	addr := fmt.Sprintf("127.0.0.1:%d", ports[0])
	var stderr bytes.Buffer
	code := run(t.Context(), []string{"chat", "--protocol", "lab", "--transport", "tcp", "--server", addr}, strings.NewReader(""), io.Discard, &stderr)
	if code != exitUsage || !strings.Contains(stderr.String(), "Is the server running") {
		t.Errorf("exit code %d, stderr:\n%s", code, stderr.String())
	}
}
