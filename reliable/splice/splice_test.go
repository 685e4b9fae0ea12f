package splice

import (
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// tcpPair returns both ends of a TCP connection.
func tcpPair(t *testing.T) (near, far *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a.(*net.TCPConn), b.(*net.TCPConn)
}

// joined returns two connections with a splice between them, and what Join returns.
func joined(t *testing.T) (left, right *net.TCPConn, result <-chan error) {
	left, a := tcpPair(t)
	right, b := tcpPair(t)
	done := make(chan error, 1)
	go func() { done <- Join(a, b) }()
	return left, right, done
}

// A client that has said everything still gets the whole answer: the end of one direction is not that of the other.
func TestEachDirectionEndsByItself(t *testing.T) {
	left, right, result := joined(t)
	question := strings.Repeat("question ", 100_000)
	var talking sync.WaitGroup
	talking.Go(func() {
		io.WriteString(left, question)
		left.CloseWrite()
	})
	got, err := io.ReadAll(right)
	if string(got) != question || err != nil {
		t.Errorf("%d of %d bytes arrived, %v", len(got), len(question), err)
	}
	talking.Wait()
	for range 3 {
		io.WriteString(right, "answer ")
		b := make([]byte, 7)
		if _, err := io.ReadFull(left, b); string(b) != "answer " || err != nil {
			t.Errorf("got %q, %v", b, err)
		}
	}
	right.Close()
	if rest, err := io.ReadAll(left); len(rest) != 0 || err != nil {
		t.Errorf("after the end came %q, %v", rest, err)
	}
	if err := <-result; err != nil {
		t.Errorf("Join: %v", err)
	}
}

// A connection that breaks is no ordinary end on the other side either.
func TestResetIsPassedOn(t *testing.T) {
	left, right, result := joined(t)
	io.WriteString(left, "hello")
	io.ReadFull(right, make([]byte, 5))
	left.SetLinger(0)
	left.Close()
	if _, err := right.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the other side got %v", err)
	}
	if err := <-result; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("Join: %v", err)
	}
}

func TestDeadlineEndsJoin(t *testing.T) {
	left, a := tcpPair(t)
	right, b := tcpPair(t)
	result := make(chan error, 1)
	go func() { result <- Join(a, b) }()
	io.WriteString(left, "x")
	io.ReadFull(right, make([]byte, 1))
	a.SetDeadline(time.Unix(1, 0))
	if err := <-result; err == nil {
		t.Error("Join returned nil")
	}
	if _, err := right.Read(make([]byte, 1)); err == nil {
		t.Error("the other side is still open")
	}
}
