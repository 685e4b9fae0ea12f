//go:build unix

package crash

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
)

// A caller is a client of a protocol without accounts, on a connection of its own.
type caller struct {
	tb   testing.TB
	conn net.Conn

	mu    sync.Mutex
	lines []string // Guarded by mu.
}

// visit connects to a server and says something.
func visit(tb testing.TB, s *server, first string) *caller {
	tb.Helper()
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		tb.Fatal(err)
	}
	v := &caller{tb: tb, conn: conn}
	ended := make(chan struct{})
	go func() { // Ends with the connection.
		defer close(ended)
		for in := bufio.NewScanner(conn); in.Scan(); {
			v.mu.Lock()
			v.lines = append(v.lines, in.Text())
			v.mu.Unlock()
		}
	}()
	tb.Cleanup(func() {
		_ = conn.Close() // There is nothing to lose.
		<-ended
	})
	v.say(first)
	return v
}

func (v *caller) say(text string) {
	v.tb.Helper()
	if _, err := v.conn.Write([]byte(text)); err != nil {
		v.tb.Fatal(err)
	}
}

// count returns how often it was told that line, and what it was told last with that word in front.
func (v *caller) count(line, word string) (n int, last string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, got := range v.lines {
		if got == line {
			n++
		}
		if strings.HasPrefix(got, word) {
			last = got
		}
	}
	return n, last
}

// sees waits until the visitor was told last that these are there.
func (v *caller) sees(names string) {
	v.tb.Helper()
	await(v.tb, "ONLINE#"+names, func() bool { _, last := v.count("", "ONLINE#"); return last == "ONLINE#"+names })
}

// hears waits until the visitor was told a line, and is told it once.
func (v *caller) hears(line string) {
	v.tb.Helper()
	await(v.tb, line, func() bool { n, _ := v.count(line, ""); return n > 0 })
}

// visitorsMeet has clients of the # and relay protocols on two servers see one another and talk. It returns one on the second.
func visitorsMeet(t *testing.T, a, b *server) *caller {
	t.Helper()
	ann := visit(t, a, "CONNECT#ann\n")
	ann.sees("ann")
	bob := visit(t, b, "CONNECT#bob\n")
	ann.sees("ann,bob")
	bob.sees("ann,bob")
	const many = 50
	for i := range many {
		ann.say(fmt.Sprintf("SEND#bob#over there %d\n", i))
		bob.say(fmt.Sprintf("SEND#ann#over here %d\n", i))
	}
	ann.say("SEND#*#to all\n")
	ann.hears("MESSAGE#ann#to all")
	bob.hears("MESSAGE#ann#to all")
	bob.hears(fmt.Sprintf("MESSAGE#ann#over there %d", many-1))
	ann.hears(fmt.Sprintf("MESSAGE#bob#over here %d", many-1))
	for i := range many {
		if n, _ := bob.count(fmt.Sprintf("MESSAGE#ann#over there %d", i), ""); n != 1 {
			t.Errorf("bob heard whisper %d %d times", i, n)
		}
		if n, _ := ann.count(fmt.Sprintf("MESSAGE#bob#over here %d", i), ""); n != 1 {
			t.Errorf("ann heard whisper %d %d times", i, n)
		}
	}
	relay := visit(t, a, "REGISTER TOSEND carl\n\n")
	relay.say("REGISTER TORECV carl\n\n")
	relay.hears("REGISTERED TORECV carl")
	bob.sees("ann,bob,carl")
	relay.say("SEND bob\nContent-length: 2\n\nhi")
	bob.hears("MESSAGE#carl#hi")
	relay.hears("SENT bob")
	other := visit(t, b, "REGISTER TOSEND dora\n\n")
	other.say("REGISTER TORECV dora\n\n")
	ann.sees("ann,bob,carl,dora")
	relay.say("SEND ALL\nContent-length: 5\n\nhello")
	other.hears("FORWARD carl")
	if n, _ := relay.count("SENT ALL", ""); n != 0 {
		t.Error("SENT ALL before the user of the other server has the message")
	}
	other.say("RECEIVED carl\n\n")
	relay.hears("SENT ALL")
	return bob
}
