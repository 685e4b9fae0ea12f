//go:build unix

package server

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"udpchat/chat/front"
	"udpchat/chat/session"
)

// Messages are small and must leave at once, also where Go or a wrapper has set it otherwise.
func TestTCPOptionsAreSet(t *testing.T) {
	defer goleak.VerifyNone(t)
	srv, accepted := New(nil, Config{}), make(chan *net.TCPConn, 1)
	l, served := listenTCP(t), make(chan *session.Session)
	go srv.Serve(t.Context(), Listener{Listener: spoiler{l, accepted}, Fronts: []front.Front{&testFront{"x", func(_ context.Context, s *session.Session) error {
		served <- s
		_, err := s.Read(make([]byte, 1))
		return err
	}}}})
	defer srv.Shutdown(context.Background())
	peer, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	conn := <-accepted
	defer (<-served).Abort(nil)
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var noDelay, keepAlive int
	var errs [2]error
	if err := raw.Control(func(fd uintptr) {
		noDelay, errs[0] = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_NODELAY)
		keepAlive, errs[1] = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_KEEPALIVE)
	}); err != nil || errs != [2]error{} {
		t.Fatal(err, errs)
	}
	if noDelay == 0 || keepAlive == 0 {
		t.Errorf("TCP_NODELAY %d, SO_KEEPALIVE %d; want both set", noDelay, keepAlive)
	}
}

// A spoiler hands out connections with the options unset, wrapped in another.
type spoiler struct {
	*net.TCPListener
	accepted chan<- *net.TCPConn
}

func (l spoiler) Accept() (net.Conn, error) {
	conn, err := l.AcceptTCP()
	if err != nil {
		return nil, err
	}
	l.accepted <- conn
	return wrapped{conn}, errors.Join(conn.SetNoDelay(false), conn.SetKeepAlive(false))
}

// A wrapped connection is one inside another, as TLS has it.
type wrapped struct{ net.Conn }

func (w wrapped) NetConn() net.Conn { return w.Conn }
