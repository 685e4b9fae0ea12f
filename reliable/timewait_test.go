package reliable

import (
	"io"
	"testing"
	"time"
)

// Close frames that cross must not make two endpoints, neither of which has the connection any more, tell each other
// so for as long as they remember it.
func TestEndpointsFallSilentAfterAClose(t *testing.T) {
	inWorld(t, lossy(0), Config{}, func(w *world) {
		client, server := w.connect()
		client.Write([]byte("x"))
		io.ReadFull(server, make([]byte, 1))
		client.Close()
		time.Sleep(3 * time.Second)
		before := w.client.Stats().Datagrams + w.server.Stats().Datagrams
		time.Sleep(timeWait)
		if n := w.client.Stats().Datagrams + w.server.Stats().Datagrams - before; n > 0 {
			t.Errorf("%d datagrams after the end", n)
		}
	})
}
