package labtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"udpchat/cmd/internal/port"
)

// verdicts is all of a report that must be the same every time.
func verdicts(r *Report) string {
	var b strings.Builder
	for _, result := range r.Results {
		fmt.Fprintf(&b, "%s %s %d/%d %v\n", result.ID, result.Verdict, result.Passed, result.Checks, result.Finding != nil)
	}
	return b.String() + r.LastLine()
}

// The same server gets the same verdicts every time, good or bad: whether it has just begun or has seen others come and
// go, and whatever else the machine does meanwhile.
func TestSameServerGetsSameVerdictsTwentyTimes(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"", "wrong order of fields"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			testSameVerdicts(t, fault)
		})
	}
}

func testSameVerdicts(t *testing.T, fault string) {
	const runs, aged = 20, 3
	got := make([]string, runs)
	cfg := quick("", AsGraded)
	cfg.Timeout = busyTimeout
	cfg.Only = []string{groupGraded, groupBase, groupJoin, groupMessaging}
	cfg.Skip = []string{ruleGradedKill, "chat.all"} // It must live, and the other takes long.
	old := newLabServer(t, false, fault)
	play := func(i int, server string) {
		own := cfg
		own.Server = server
		report, err := Run(context.Background(), own)
		if err != nil {
			t.Errorf("run %d: %v", i, err)
			return
		}
		got[i] = verdicts(report)
	}
	var onOne sync.WaitGroup
	onOne.Go(func() { // The first runs are one after the other, against one server.
		for i := range aged {
			play(i, old.addr())
		}
	})
	numbers := make([]int, 0, runs)
	for i := aged; i < runs; i++ {
		numbers = append(numbers, i)
	}
	atOnce(numbers, func(i int) { play(i, newLabServer(t, false, fault).addr()) })
	onOne.Wait()
	for i, v := range got {
		first := strings.Split(got[0], "\n")
		for k, line := range strings.Split(v, "\n") {
			if k >= len(first) || line != first[k] {
				t.Errorf("run %d has %q, the first %q", i, line, first[min(k, len(first)-1)])
			}
		}
	}
}

// The course's grade of servers like those whose grades are known.
func TestCourseGrade(t *testing.T) {
	t.Parallel()
	tests := []struct {
		fault string
		grade int
		rules string // Of the scenario, those that failed.
	}{
		{"", 100, ""},
		// A published log of the tester: 20 + 1275/1755 of 70 + 5/25 of 10.
		{"closes silently on DISCONNECT", 73, "graded.disconnect-self graded.kill"},
		{"keeps running after KILL_SERVICE", 92, "graded.kill"}, // 5 of 25 were for sending it.
		{"says 0.0.0.0", 93, "graded.helo-ip"},
		{"leaves rooms in any order", 0, "graded.disconnect-others graded.disconnect-self graded.again"},
	}
	atOnce(tests, func(tt struct {
		fault string
		grade int
		rules string
	}) {
		s := newLabServer(t, false, tt.fault)
		cfg := quick(s.addr(), AsGraded)
		cfg.Timeout, cfg.Only = busyTimeout, []string{groupGraded}
		report, err := Run(context.Background(), cfg)
		if err != nil {
			t.Errorf("%q: %v", tt.fault, err)
			return
		}
		course := report.Grade.Course
		if course == nil {
			t.Errorf("%q has no grade", tt.fault)
			return
		}
		for _, id := range caught(report) {
			if !strings.Contains(tt.rules, id) {
				t.Errorf("%q: %s failed", tt.fault, id)
			}
		}
		if tt.grade != 0 && course.Grade != tt.grade || tt.grade == 0 && course.Grade >= 100 {
			t.Errorf("%q: grade %d, want %d\n%s", tt.fault, course.Grade, tt.grade, report.LastLine())
		}
		if len(caught(report)) == 0 && tt.rules != "" {
			t.Errorf("%q was not caught", tt.fault)
		}
	})
}

// A good server passes all the course's tester wants, and everything else that goes with that profile.
func TestGoodServerPassesAsGraded(t *testing.T) {
	t.Parallel()
	for _, dialect := range []string{Dialect2017, Dialect2015} {
		s := newLabServer(t, false)
		cfg := quick(s.addr(), AsGraded)
		cfg.Timeout, cfg.Dialect = busyTimeout, dialect
		report, err := Run(context.Background(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		switch again := caughtAgain(t, cfg, report, func() string { return newLabServer(t, false).addr() }); {
		case len(again) > 0:
			t.Errorf("dialect %s: %s, not passed: %v", dialect, report.LastLine(), again)
		case len(caught(report)) == 0 && (report.Failed() || report.Grade.Total.Percent != 100 || report.Grade.Course.Grade != 100):
			t.Errorf("dialect %s: %s", dialect, report.LastLine())
		}
	}
}

// What is lost by trying how much a server bears costs no other group, and the report says what the last message was.
func TestDeathByGarbageCostsOnlyRobustness(t *testing.T) {
	t.Parallel()
	s := newLabServer(t, false, "crashes on bytes that are no text")
	cfg := quick(s.addr(), AsGraded)
	cfg.Timeout, cfg.Only = busyTimeout, []string{groupGraded, groupBase, "robust.garbage", groupKill}
	report, err := Run(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if got := caught(report); !slices.Equal(got, []string{"robust.garbage"}) {
		t.Errorf("caught by %v", got)
	}
	if report.Died == nil || report.Died.Rule != "robust.garbage" || report.Died.Message == "" {
		t.Errorf("death: %+v", report.Died)
	}
	if c := report.Grade.Course; c.Grade != 90 || c.Max != 90 || c.Percent != 100 {
		t.Errorf("grade %d of %d, %v %%", c.Grade, c.Max, c.Percent)
	}
}

// A server that dies in the course's scenario loses what comes after, and the report says at which message.
func TestDeathInScenario(t *testing.T) {
	t.Parallel()
	s := newLabServer(t, false, "dies at DISCONNECT")
	cfg := quick(s.addr(), AsGraded)
	cfg.Timeout = busyTimeout
	report, err := Run(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if report.Died == nil || !strings.Contains(report.Died.Message, "DISCONNECT: 0") {
		t.Errorf("death: %+v", report.Died)
	}
	if got := report.Grade.Course.Chat.Earned; got != 1275 {
		t.Errorf("%v points for the chat, want the 1275 up to DISCONNECT", got)
	}
	if report.Grade.Total.Earned != 0 {
		t.Errorf("%v points for rules that were not played", report.Grade.Total.Earned)
	}
}

// A server that takes connections and never says a word fails, and the run ends soon.
func TestServerThatNeverAnswers(t *testing.T) { // Not beside others: its patience is short.
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	cfg := quick(ln.Addr().String(), AsSpecified)
	cfg.Timeout = 200 * time.Millisecond
	begun := time.Now()
	report, err := Run(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if !report.Failed() || report.Grade.Total.Earned != 0 {
		t.Errorf("%s", report.LastLine())
	}
	if d := time.Since(begun); d > time.Minute {
		t.Errorf("it took %v", d)
	}
}

// A server that never stops talking does not keep us from ending.
func TestServerThatNeverStopsTalking(t *testing.T) { // Not beside others: its patience is short.
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				for err == nil {
					_, err = c.Write([]byte(strings.Repeat("CHAT: 1\nCLIENT_NAME: x\nMESSAGE: blah\n\n", 50)))
					time.Sleep(5 * time.Millisecond)
				}
				_ = c.Close() // It has ended.
			})
		}
	})
	cfg := quick(ln.Addr().String(), AsSpecified)
	cfg.Timeout = 200 * time.Millisecond
	report, err := Run(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if !report.Failed() {
		t.Errorf("%s", report.LastLine())
	}
	_ = ln.Close() // Ends the server.
	serving.Wait()
}

func TestNobodyThere(t *testing.T) {
	t.Parallel()
	for _, transport := range []string{TCP, UDP, Plain} {
		ports, err := port.Free(1)
		if err != nil {
			t.Fatal(err)
		}
		addr := fmt.Sprintf("127.0.0.1:%d", ports[0])
		_, err = Run(context.Background(), Config{Server: addr, Transport: transport, Timeout: 200 * time.Millisecond})
		if _, ok := errors.AsType[*UnreachableError](err); !ok {
			t.Errorf("%s: %v", transport, err)
		}
	}
}

// A plainServer is a server of the lab protocol over plain datagrams as somebody might write it from the document:
// answers go to CLIENT_IP and PORT, and nothing is known of repeats.
type plainServer struct {
	conn    *net.UDPConn
	rooms   []string
	members []plainMember
	serving sync.WaitGroup
}

type plainMember struct {
	room, id, name string
	addr           netip.AddrPort
}

func newPlainServer(t *testing.T) *plainServer {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	s := &plainServer{conn: conn}
	s.serving.Go(s.serve)
	t.Cleanup(func() {
		_ = conn.Close() // KILL_SERVICE may have closed it.
		s.serving.Wait()
	})
	return s
}

func (s *plainServer) send(to netip.AddrPort, format string, args ...any) {
	_, _ = s.conn.WriteToUDPAddrPort(fmt.Appendf(nil, format, args...), to) // Lost, as datagrams may be.
}

func (s *plainServer) tell(ref, name, text string, also ...netip.AddrPort) {
	for _, m := range s.members {
		if m.room == ref {
			also = append(also, m.addr)
		}
	}
	for _, to := range also {
		s.send(to, "CHAT: %s\nCLIENT_NAME: %s\nMESSAGE: %s\n\n", ref, name, text)
	}
}

func (s *plainServer) serve() {
	b := make([]byte, 65507)
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		lines, _, ok := nextRequest(strings.ReplaceAll(string(b[:n]), "\r", ""), true)
		if !ok {
			continue
		}
		head, _, _ := strings.Cut(lines[0], ":")
		name, _ := field(lines, "CLIENT_NAME")
		ref, _ := field(lines, head)
		id, _ := field(lines, "JOIN_ID")
		port := strconv.Itoa(s.conn.LocalAddr().(*net.UDPAddr).Port)
		switch {
		case strings.HasPrefix(head, "HELO"):
			s.send(from, "%s\nIP:127.0.0.1\nPort:%s\nStudentID:1\n", lines[0], port)
		case head == "KILL_SERVICE":
			_ = s.conn.Close() // That is the end.
			return
		case head == "JOIN_CHATROOM":
			ip, _ := field(lines, "CLIENT_IP")
			at, _ := field(lines, "PORT")
			addr, err := netip.ParseAddrPort(net.JoinHostPort(ip, at))
			if err != nil {
				continue
			}
			room := slices.Index(s.rooms, ref) + 1
			if room == 0 {
				s.rooms = append(s.rooms, ref)
				room = len(s.rooms)
			}
			m := plainMember{room: strconv.Itoa(room), id: strconv.Itoa(int(addr.Port())), name: name, addr: addr}
			if !slices.Contains(s.members, m) {
				s.members = append(s.members, m)
			}
			s.send(addr, "JOINED_CHATROOM: %s\nSERVER_IP: 127.0.0.1\nPORT: %s\nROOM_REF: %d\nJOIN_ID: %s\n", ref, port, room, m.id)
			s.tell(m.room, name, name+" has joined this chatroom.")
		case head == "LEAVE_CHATROOM", head == "DISCONNECT":
			left := slices.DeleteFunc(slices.Clone(s.members), func(m plainMember) bool {
				return m.name != name || head == "LEAVE_CHATROOM" && (m.room != ref || m.id != id)
			})
			to := from
			for _, m := range left {
				to = m.addr
			}
			if head == "LEAVE_CHATROOM" {
				s.send(to, "LEFT_CHATROOM: %s\nJOIN_ID: %s\n", ref, id)
			}
			for _, m := range left {
				s.members = slices.DeleteFunc(s.members, func(o plainMember) bool { return o == m })
				s.tell(m.room, name, name+" has left this chatroom.", to)
			}
		case head == "CHAT":
			_, text, _ := strings.Cut(strings.Join(lines, "\n"), "\nMESSAGE:")
			text = strings.TrimPrefix(text, " ")
			if slices.ContainsFunc(s.members, func(m plainMember) bool { return m.room == ref && m.name == name }) {
				s.tell(ref, name, text)
			}
		}
	}
}

// A server over datagrams that follows the document passes what it says, and is told what it lacks.
func TestPlainServerOfSomebodyElse(t *testing.T) {
	t.Parallel()
	s := newPlainServer(t)
	cfg := quick(s.conn.LocalAddr().String(), AsGraded)
	cfg.Transport, cfg.LossPercent = Plain, 20
	report, err := Run(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	another := func() string { return newPlainServer(t).conn.LocalAddr().String() }
	if got, want := caughtAgain(t, cfg, report, another, "udp.repeat"), []string{"udp.repeat"}; !slices.Equal(got, want) {
		t.Errorf("caught by %v, want %v", got, want)
	}
	for _, r := range report.Results {
		if r.Verdict == Unsupported && r.Group != groupErrors && r.ID != "udp.loss-repeats" {
			t.Errorf("%s is unsupported: %s", r.ID, r.Note)
		}
	}
	if len(caught(report)) == 1 && report.Grade.Course.Grade != 100 {
		t.Error(report.LastLine())
	}
}
