//go:build unix

package crash

import (
	"bufio"
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"udpchat/reliable"
)

// A server that was killed and started again is called what it was called before, and has the key that it had: so it can tell
// a client over UDP that the connection is forgotten. Without that clients come back all the same, some seconds later.
func TestServerThatWasKilledSaysWhatItHasForgotten(t *testing.T) {
	t.Parallel()
	s := newServer(t, "--data", t.TempDir())
	s.start()
	e, err := reliable.Listen("127.0.0.1:0", reliable.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, err := e.Dial(ctx, netip.MustParseAddrPort(s.addr))
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	say := func() error {
		_, err := conn.Write([]byte("CONNECT#ann\n"))
		return err
	}
	if err := say(); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	if line, err := in.ReadString('\n'); err != nil {
		t.Fatalf("%q, %v", line, err)
	}
	s.kill()
	s.start()
	err = say() // Something else may have been sent again before, and answered.
	for err == nil {
		_, err = in.ReadString('\n')
	}
	if !errors.Is(err, reliable.ErrForgotten) {
		t.Errorf("it ended with %v, want %v", err, reliable.ErrForgotten)
	}
}
