package enginetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"udpchat/chat"
)

// Config says what is tested.
type Config struct {
	// New makes empty storage and returns what opens an engine on it. The checks close every
	// engine they open, and call open again only after that (Durable), or while others are open
	// (Nodes). If neither is set, open is called once. New may be called
	// more than once, for storages that have nothing in common.
	New func(tb testing.TB) (open func() (chat.Engine, error))

	// Durable: an engine opened on storage that was closed knows everything.
	Durable bool

	// Nodes: several engines may be open on one storage, as the nodes of a cluster.
	Nodes bool

	// MessageBytesMax, RecordBytesMax and NameBytesMax are the largest message, record and name (of a room, an id, a
	// bucket or a key) that the engine takes. One byte more is refused with chat.ErrTooLarge.
	MessageBytesMax, RecordBytesMax, NameBytesMax int

	// Wait is how long entries may take to reach a subscriber; 0 means a minute. Only engines that
	// fail wait as long.
	Wait time.Duration
}

// A Check is one promise. Run fails tb if the engine does not keep it.
type Check struct {
	Name    string
	Durable bool // For durable engines only.
	Nodes   bool // For engines of many nodes only.
	Run     func(tb testing.TB, cfg Config)
}

// Run runs all checks that cfg asks for, each as a subtest.
func Run(t *testing.T, cfg Config) {
	for _, c := range Checks() {
		if c.Durable && !cfg.Durable || c.Nodes && !cfg.Nodes {
			continue
		}
		t.Run(c.Name, func(t *testing.T) { c.Run(t, cfg) })
	}
}

// Checks returns all checks.
func Checks() []Check {
	var checks []Check
	for _, c := range []struct {
		name string
		run  func(*rig)
	}{
		{"AppendReturnsTheMessage", appendReturnsTheMessage},
		{"AppendSameIDAgain", appendSameIDAgain},
		{"AppendKeepsOddNamesApart", appendKeepsOddNamesApart},
		{"ConcurrentWriters", concurrentWriters},
		{"SubscribeFromNowOn", subscribeFromNowOn},
		{"SubscribeDuringWrites", subscribeDuringWrites},
		{"StopWhileWriting", stopWhileWriting},
		{"SendReachesEverySubscriber", sendReachesEverySubscriber},
		{"ReadPages", readPages},
		{"ReadBounds", readBounds},
		{"Heads", heads},
		{"DropUpto", dropUpto},
		{"DropOnly", dropOnly},
		{"RecordLife", recordLife},
		{"RecordRevisionsAreNotReused", recordRevisionsAreNotReused},
		{"RecordCompareAndSet", recordCompareAndSet},
		{"RecordList", recordList},
		{"RecordOddKeys", recordOddKeys},
		{"RecordValuesAreCopies", recordValuesAreCopies},
		{"BlobLife", blobLife},
		{"BlobOffsets", blobOffsets},
		{"BlobSameContent", blobSameContent},
		{"BlobBrokenOff", blobBrokenOff},
		{"EpochStays", epochStays},
		{"TooLargeIsRefused", tooLargeIsRefused},
		{"CancelledAppendsSettle", cancelledAppendsSettle},
		{"CloseRefuses", closeRefuses},
		{"CloseWhileWriting", closeWhileWriting},
	} {
		checks = append(checks, Check{Name: c.name, Run: onRig(c.run)})
	}
	return append(checks,
		Check{Name: "ReopenKnowsEverything", Durable: true, Run: onRig(reopenKnowsEverything)},
		Check{Name: "NodesShareOneOrder", Nodes: true, Run: onRig(nodesShareOneOrder)},
		Check{Name: "NodesShareRecordsAndFiles", Nodes: true, Run: onRig(nodesShareRecordsAndFiles)},
	)
}

// A rig is what a check works with: a test, and storage of its own.
type rig struct {
	testing.TB
	cfg  Config
	open func() (chat.Engine, error)
}

func onRig(run func(*rig)) func(testing.TB, Config) {
	return func(tb testing.TB, cfg Config) {
		tb.Helper()
		if cfg.Wait == 0 {
			cfg.Wait = time.Minute
		}
		run(&rig{TB: tb, cfg: cfg, open: cfg.New(tb)})
	}
}

// engine opens an engine, which is closed at the end of the check.
func (r *rig) engine() chat.Engine {
	r.Helper()
	e, err := r.open()
	if err != nil {
		r.Fatalf("open: %v", err)
	}
	r.Cleanup(func() {
		if err := e.Close(); err != nil {
			r.Errorf("Close: %v", err)
		}
	})
	if err := e.Health(); err != nil {
		r.Fatalf("Health of a new engine: %v", err)
	}
	return e
}

// append appends text under the id "<dev>-<n>".
func (r *rig) append(e chat.Engine, room, dev string, n int, text string) chat.Msg {
	r.Helper()
	msg, err := e.Append(r.Context(), room, msgID(dev, n), []byte(text))
	if err != nil {
		r.Fatalf("Append(%q, %q): %v", room, msgID(dev, n), err)
	}
	return msg
}

// read reads and checks that what it got is in rising order and has the right room.
func (r *rig) read(e chat.Engine, room string, after, before uint64, n int) []chat.Msg {
	r.Helper()
	msgs, err := e.Read(r.Context(), room, after, before, n)
	if err != nil {
		r.Fatalf("Read(%q, %d, %d, %d): %v", room, after, before, n, err)
	}
	for i, m := range msgs {
		if m.Room != room || i > 0 && m.Seq <= msgs[i-1].Seq {
			r.Fatalf("Read(%q, %d, %d, %d) = %s, not in rising order of that room", room, after, before, n, show(msgs))
		}
	}
	return msgs
}

// wantErr checks that an error matches.
func (r *rig) wantErr(what string, got, want error) {
	r.Helper()
	if !errors.Is(got, want) {
		r.Errorf("%s: error is %v, want one matching %q", what, got, want)
	}
}

// wantMsgs checks that messages are the same, in the same order.
func (r *rig) wantMsgs(what string, got, want []chat.Msg) {
	r.Helper()
	same := len(got) == len(want)
	for i := 0; same && i < len(got); i++ {
		same = equal(got[i], want[i])
	}
	if !same {
		r.Errorf("%s:\n got %s\nwant %s", what, show(got), show(want))
	}
}

func equal(a, b chat.Msg) bool {
	return a.Room == b.Room && a.Seq == b.Seq && a.ID == b.ID && a.Time.Equal(b.Time) && string(a.Data) == string(b.Data)
}

func msgID(dev string, n int) string { return fmt.Sprintf("%s-%d", dev, n) }

// show returns messages in a form short enough for an error.
func show(msgs []chat.Msg) string {
	s := fmt.Sprintf("%d messages", len(msgs))
	for i, m := range msgs {
		if i == 20 {
			return s + " ..."
		}
		s += fmt.Sprintf(" [%d %s %.20q]", m.Seq, m.ID, m.Data)
	}
	return s
}
