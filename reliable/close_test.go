package reliable

import (
	"errors"
	"io"
	"sync"
	"testing"
	"time"
)

// An end of file promises that nothing is missing.
func TestStreamThatWasBrokenOffDoesNotEndInEOF(t *testing.T) {
	for name, breakOff := range map[string]func(*Conn){
		"abort":  func(c *Conn) { c.Abort(CodeNone, "") },
		"linger": func(c *Conn) { c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, lossy(0), Config{Linger: 2 * time.Second}, func(w *world) {
				client, server := w.connect()
				var wg sync.WaitGroup
				wg.Go(func() { server.Write(make([]byte, 1<<20)) }) // More than all buffers; nobody reads.
				time.Sleep(5 * time.Second)
				breakOff(server)
				wg.Wait()
				time.Sleep(10 * time.Second)
				got, err := io.ReadAll(client)
				if e, ok := errors.AsType[*CloseError](err); len(got) == 1<<20 || !ok || e.Code != CodeIncomplete || !e.Remote {
					t.Errorf("read %d bytes and %v, want less than written and code %d", len(got), err, CodeIncomplete)
				}
			})
		})
	}
}
