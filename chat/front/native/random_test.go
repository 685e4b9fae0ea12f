package native

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"

	"udpchat/chat/session"
	wire "udpchat/chat/wire/native"
)

// Requests of all kinds with fields that are right, wrong and beside the point, and damaged ones between them: whatever a
// client says, nothing panics, nothing is our fault, and another client goes on as if nothing had happened.
func TestRandomRequestsAreNobodysFault(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	texts := []string{"", "ann", "bob", "kitchen", "hall", "dm/ann/bob", "ac/ann", "ac/bob", "pr", "pr/native", "dm//", "a/b", " ", "\x00", "Ä", strings.Repeat("x", 70)}
	numbers := []uint64{0, 1, 2, 3, 7, 100, 1 << 31, 1 << 32, 1<<63 - 1, 1 << 63, 1<<64 - 1}
	text := func() string { return texts[r.IntN(len(texts))] }
	number := func() uint64 { return numbers[r.IntN(len(numbers))] }
	digest := bytes.Repeat([]byte{7}, wire.DigestBytes)
	kinds := []func() wire.Request{
		func() wire.Request { return wire.Say{Log: text(), Counter: number(), Text: text()} },
		func() wire.Request {
			return wire.Say{Log: text(), Counter: number(), File: &wire.File{Digest: digest, Size: number(), Name: text(), Type: text()}}
		},
		func() wire.Request { return wire.Join{Room: text(), N: number()} },
		func() wire.Request { return wire.Attach{Log: text(), Epoch: text(), After: number(), N: number()} },
		func() wire.Request { return wire.Direct{Peer: text(), N: number()} },
		func() wire.Request { return wire.Leave{Log: text()} },
		func() wire.Request { return wire.History{Log: text(), N: number(), After: number(), Before: number()} },
		func() wire.Request { return wire.History{Log: text(), N: number(), Around: number()} },
		func() wire.Request { return wire.History{Log: text(), N: number(), At: wire.Instant(number())} },
		func() wire.Request { return wire.Mark{Log: text(), Seq: number()} },
		func() wire.Request { return wire.Typing{Log: text(), On: true} },
		func() wire.Request { return wire.Topic{Log: text(), Text: text()} },
		func() wire.Request { return wire.Rooms{After: text(), N: number()} },
		func() wire.Request { return wire.Who{Log: text()} },
		func() wire.Request { return wire.Since{Ago: wire.Millis(number())} },
		func() wire.Request { return wire.Conversations{} },
		func() wire.Request { return wire.Contacts{} },
		func() wire.Request { return wire.AddContact{Name: text()} },
		func() wire.Request { return wire.RemoveContact{Name: text()} },
		func() wire.Request { return wire.Block{Name: text()} },
		func() wire.Request { return wire.Unblock{Name: text()} },
		func() wire.Request { return wire.Revoke{Device: text()} },
		func() wire.Request { return wire.Upload{Digest: digest, Size: number()} },
		func() wire.Request { return wire.Download{Log: text(), Seq: number()} },
		func() wire.Request { return wire.Whisper{Name: text(), Text: text()} },
		func() wire.Request { return wire.Private{Peer: text(), Call: digest[:4], Step: wire.Step(number())} },
		func() wire.Request { return wire.Presence{State: wire.State(number())} },
		func() wire.Request { return wire.LogIn{Name: text(), Password: text()} },
		func() wire.Request { return wire.Hello{Version: number(), VersionMin: number()} },
	}
	inWorld(t, setUp{files: true, front: func(c *Config) { c.RequestsPerSecond = -1 }}, func(w *world) {
		bob := w.register("bob")
		ask[wire.Place](bob, wire.Join{Room: "kitchen"})
		ann := w.register("ann")
		token := ann.token
		for i := range 3000 {
			b := wire.AppendRequest(nil, r.Uint64N(5), kinds[r.IntN(len(kinds))]())
			if r.IntN(20) == 0 && len(b) > 0 {
				b[r.IntN(len(b))] ^= byte(1 << r.IntN(8))
			}
			ann.write(frame(b))
			if ann.isClosed() {
				_ = w.end(ann) // For one of many reasons.
				ann = w.openFrom("ann again", session.TransportUDP, "127.0.0.1:5001").read()
				ann.write([]byte(Greeting))
				ann.write(frame(wire.AppendRequest(nil, 1, wire.Hello{Version: 1, VersionMin: 1})))
				ann.write(frame(wire.AppendRequest(nil, 2, wire.LogIn{Token: token})))
				w.mu.Lock()
				delete(w.ended, "ann again")
				w.mu.Unlock()
			}
			if i%100 == 0 {
				ann.take()
				bob.take()
			}
		}
		synctest.Wait()
		ask[wire.Said](bob, wire.Say{Log: "kitchen", Counter: 1, Text: "still here"})
		for _, fault := range []string{"internal error", "panicked"} {
			if i := strings.Index(w.log.String(), fault); i >= 0 {
				t.Errorf("the log has %.600s", w.log.String()[max(0, i-100):])
			}
		}
	})
}
