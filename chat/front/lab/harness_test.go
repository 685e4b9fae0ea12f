package lab

import (
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"udpchat/chat"
	"udpchat/chat/front"
	"udpchat/chat/front/internal/stage"
	"udpchat/chat/store/memory"
	wire "udpchat/chat/wire/lab"
)

// castOf returns what makes the front-end of a world of base and of a transcript's settings. When the world has ended it
// looks whether the front-end has forgotten everybody.
func castOf(base Config) stage.Cast {
	return func(t *testing.T, w *stage.World, settings map[string]string, log *slog.Logger) []front.Front {
		cfg := base
		for key, value := range settings {
			n, _ := strconv.Atoi(value)
			switch key {
			case "strict":
				cfg.Strict = true
			case "kill":
				cfg.AllowKill = true
			case "rate":
				cfg.RequestsPerSecond = float64(n)
			case "burst":
				cfg.RequestsBurst = n
			case "advertise":
				cfg.Advertise = value
			default:
				t.Fatalf("no such setting: %s", key)
			}
		}
		if cfg.StudentID == "" {
			cfg.StudentID = "12345678"
		}
		cfg.Kill, cfg.Logger = w.AskToEnd, log
		f := New(cfg)
		t.Cleanup(func() { // In the bubble, after the world's end.
			if n, m := len(f.members), len(f.callbacks); n != 0 || m != 0 {
				t.Errorf("at the end: the front remembers %d members and %d callbacks, want none", n, m)
			}
		})
		return []front.Front{f}
	}
}

// A world is a server with this front-end alone.
type world struct {
	*stage.World
	t *testing.T
}

// inWorld runs f in a bubble with a server.
func inWorld(t *testing.T, cfg Config, f func(w *world)) {
	t.Helper()
	inWorldOn(t, cfg, memory.New(memory.Config{}), f)
}

func inWorldOn(t *testing.T, cfg Config, engine chat.Engine, f func(w *world)) {
	t.Helper()
	stage.InOn(t, castOf(cfg), nil, engine, func(w *stage.World) { f(&world{World: w, t: t}) })
}

// open connects a client over transport from remote and has it served.
func (w *world) open(name, transport, remote string) *stage.Conn {
	w.t.Helper()
	return w.OpenFrom(name, "lab", transport, remote)
}

// got returns everything that was written to c since the last time, after checking that every write was whole
// messages.
func (w *world) got(c *stage.Conn) string {
	synctest.Wait()
	writes, _ := c.Take()
	var b strings.Builder
	for _, p := range writes {
		if !whole(p) {
			w.t.Errorf("%s: one write of the server was not whole messages: %q", c.Name, p)
		}
		b.Write(p)
	}
	return b.String()
}

// replies returns what was written to c since the last time, decoded.
func (w *world) replies(c *stage.Conn) []wire.Reply {
	var d wire.ReplyDecoder
	d.Feed([]byte(w.got(c)))
	var all []wire.Reply
	for {
		r, ok, err := d.Next()
		if err != nil || !ok {
			return all
		}
		all = append(all, r)
	}
}

// whole reports whether b is nothing but whole replies.
func whole(b []byte) bool {
	var d wire.ReplyDecoder
	d.Feed(b)
	n := 0
	for {
		r, ok, err := d.Next()
		if err != nil {
			return false
		}
		if !ok {
			break
		}
		if _, unknown := r.(wire.UnknownReply); unknown {
			return false
		}
		n += len(wire.AppendReply(nil, r))
	}
	return n == len(b)
}
