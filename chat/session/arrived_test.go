package session

import (
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// A telling conn says that all it was given arrives at once.
type telling struct {
	net.Conn
	wrote time.Time
}

func (c *telling) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.wrote = time.Now()
	return n, err
}

func (c *telling) Arrived() (time.Time, bool) { return c.wrote, true }

// TestArrivedCountsWhatWaitsForTheConnection: what the connection was not given yet has not arrived either.
func TestArrivedCountsWhatWaitsForTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		s := New(&telling{Conn: ours}, Config{})
		defer s.Close(nil)
		defer theirs.Close()
		s.Enqueue([]byte("message"))
		synctest.Wait()
		if _, all, known := s.Arrived(); all || !known {
			t.Errorf("while it waits: got %v, %v", all, known)
		}
		time.Sleep(time.Second)
		if _, err := theirs.Read(make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if since, all, known := s.Arrived(); !since.Equal(time.Now()) || !all || !known {
			t.Errorf("then: got %v, %v, %v", since, all, known)
		}
	})
	s, _ := pair(t, Config{})
	if _, _, known := s.Arrived(); known {
		t.Error("a connection that cannot know: known")
	}
}
