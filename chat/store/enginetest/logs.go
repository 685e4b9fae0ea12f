package enginetest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"udpchat/chat"
)

func appendReturnsTheMessage(r *rig) {
	e := r.engine()
	in, _ := r.subscribe(e, "kitchen")
	texts := []string{"hello", "", "\x00\xff any bytes\n", strings.Repeat("long ", 20_000)}
	var want []chat.Msg
	begin := time.Now()
	for i, text := range texts {
		msg := r.append(e, "kitchen", "ann", i+1, text)
		switch {
		case msg.Room != "kitchen" || msg.ID != msgID("ann", i+1) || string(msg.Data) != text:
			r.Fatalf("Append returned %q %s, want what was given", msg.Room, show([]chat.Msg{msg}))
		case msg.Seq == 0:
			r.Fatalf("Append returned Seq 0, which is for Send")
		case i > 0 && msg.Seq <= want[i-1].Seq:
			r.Fatalf("Append returned Seq %d after %d", msg.Seq, want[i-1].Seq)
		// Generous, since the time may be another machine's.
		case msg.Time.Before(begin.Add(-time.Minute)) || msg.Time.After(time.Now().Add(time.Minute)):
			r.Fatalf("Append at %v returned time %v", begin, msg.Time)
		}
		want = append(want, msg)
	}
	in.has(msgID("ann", len(texts)))
	in.wantLog("delivered", want)
	r.wantMsgs("Read", r.read(e, "kitchen", 0, 0, 100), want)
}

func appendSameIDAgain(r *rig) {
	e := r.engine()
	in, _ := r.subscribe(e, "kitchen")
	var want []chat.Msg
	for i := range 20 {
		want = append(want, r.append(e, "kitchen", "ann", i, fmt.Sprint("text ", i)))
	}
	for i := range 20 {
		// A retry may come with another body only by mistake; the first one counts.
		if msg := r.append(e, "kitchen", "ann", i, "again"); msg.Seq != want[i].Seq {
			r.Errorf("Append of id %s again returned Seq %d, first was %d", msg.ID, msg.Seq, want[i].Seq)
		}
	}
	// Ids belong to a room, and only the whole of one counts.
	for _, same := range []chat.Msg{
		r.append(e, "hall", "ann", 3, "in the hall"), r.append(e, "kitchen", "bob", 3, "from bob"),
	} {
		if same.ID == msgID("bob", 3) {
			want = append(want, same)
		} else if got := r.read(e, "hall", 0, 0, 10); len(got) != 1 {
			r.Errorf("the id of one room stopped a message to another: %s", show(got))
		}
	}
	want = append(want, r.append(e, "kitchen", "ann", 20, "last"))
	in.has(msgID("ann", 20))
	in.wantLog("delivered", want)
	r.wantMsgs("Read", r.read(e, "kitchen", 0, 0, 100), want)
}

// appendKeepsOddNamesApart guards engines that turn rooms into subjects, files or keys.
func appendKeepsOddNamesApart(r *rig) {
	e := r.engine()
	rooms := []string{
		"room", "Room", "room ", "room.1", "room/1", "room_1", "room*", ">", "*", "..", ".", "$x", "a b", "a%20b",
		"küche", "ku\u0308che", "厨房", "🍳", strings.Repeat("x", 64), strings.Repeat("x", 63) + "y", "'; --", "\"",
	}
	inboxes := make([]*inbox, len(rooms))
	for i, room := range rooms {
		inboxes[i], _ = r.subscribe(e, room)
	}
	for i, room := range rooms {
		msg := r.append(e, room, "ann", 1, room)
		inboxes[i].has(msg.ID)
		r.wantMsgs(fmt.Sprintf("Read of %q", room), r.read(e, room, 0, 0, 10), []chat.Msg{msg})
	}
	for i, room := range rooms {
		if got := inboxes[i].all(); len(got) != 1 || string(got[0].Data) != room {
			r.Errorf("room %q was told %s", room, show(got))
		}
	}
}

// concurrentWriters lets pairs of writers append the same messages to two rooms at the same time,
// so that every append is a repeat of one that may still be under way.
func concurrentWriters(r *rig) {
	const pairs, each = 6, 80
	e := r.engine()
	rooms := []string{"kitchen", "hall"}
	inboxes := map[string]*inbox{}
	for _, room := range rooms {
		inboxes[room], _ = r.subscribe(e, room)
	}
	seqs := make([][each]uint64, 2*pairs) // By writer and message.
	var wg sync.WaitGroup
	for w := range seqs {
		wg.Go(func() {
			dev := fmt.Sprint("dev", w/2)
			for n := range each {
				msg, err := e.Append(r.Context(), rooms[n%2], msgID(dev, n), []byte(dev))
				if err != nil {
					r.Errorf("Append(%q, %q): %v", rooms[n%2], msgID(dev, n), err)
					return
				}
				seqs[w][n] = msg.Seq
			}
		})
	}
	wg.Wait()
	for i, room := range rooms {
		end := r.append(e, room, "end", 1, "")
		got := inboxes[room].has(end.ID)
		inboxes[room].wantLog("delivered order of "+room, pages(r, e, room, 7))
		if len(got) != pairs*each/2+1 {
			r.Fatalf("room %q: %d messages delivered, want %d", room, len(got), pairs*each/2+1)
		}
		for p := range pairs {
			checkWriter(r, got, fmt.Sprint("dev", p), i, seqs[2*p][:], seqs[2*p+1][:])
		}
	}
}

// checkWriter checks that got has each second message of dev, from the first on, once and in
// order, under the Seq that both writers were told.
func checkWriter(r *rig, got []chat.Msg, dev string, first int, seqs, twin []uint64) {
	r.Helper()
	n := first
	for _, m := range got {
		if string(m.Data) != dev {
			continue
		}
		switch {
		case m.ID != msgID(dev, n):
			r.Fatalf("delivered %s, want %s: one writer's messages are out of order or repeated", m.ID, msgID(dev, n))
		case seqs[n] != m.Seq || twin[n] != m.Seq:
			r.Fatalf("%s was delivered as %d, its writers were told %d and %d", m.ID, m.Seq, seqs[n], twin[n])
		}
		n += 2
	}
	if n < len(seqs) {
		r.Fatalf("%s was not delivered", msgID(dev, n))
	}
}

// pages reads a room from its beginning, n at a time.
func pages(r *rig, e chat.Engine, room string, n int) []chat.Msg {
	r.Helper()
	var all []chat.Msg
	after := uint64(0)
	for {
		page := r.read(e, room, after, 0, n)
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
		after = page[len(page)-1].Seq
	}
}

func subscribeFromNowOn(r *rig) {
	e := r.engine()
	r.append(e, "kitchen", "ann", 1, "before")
	first, stopFirst := r.subscribe(e, "kitchen")
	a := r.append(e, "kitchen", "ann", 2, "to one")
	second, stopSecond := r.subscribe(e, "kitchen")
	b := r.append(e, "kitchen", "ann", 3, "to both")
	first.has(b.ID) // So that what must not arrive after stop is not under way now.
	stopFirst()
	stopFirst()
	c := r.append(e, "kitchen", "ann", 4, "to the other")
	second.has(c.ID)
	stopSecond()
	third, _ := r.subscribe(e, "kitchen")
	d := r.append(e, "kitchen", "ann", 5, "to the third")
	third.has(d.ID)
	first.wantLog("first subscriber", []chat.Msg{a, b})
	second.wantLog("second subscriber", []chat.Msg{b, c})
	third.wantLog("third subscriber", []chat.Msg{d})
}

// subscribeDuringWrites checks that a subscription has no gap at its beginning: it has everything
// that was appended after Subscribe returned, and from its first message on everything.
func subscribeDuringWrites(r *rig) {
	const messages, subscribers = 200, 10
	e := r.engine()
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := range messages {
			if _, err := e.Append(r.Context(), "kitchen", msgID("ann", n), nil); err != nil {
				r.Errorf("Append: %v", err)
				return
			}
		}
	})
	inboxes := make([]*inbox, subscribers)
	bounds := make([]uint64, subscribers) // Everything above was appended after Subscribe returned.
	for i := range inboxes {
		inboxes[i], _ = r.subscribe(e, "kitchen")
		bounds[i] = head(r, e, "kitchen")
	}
	wg.Wait()
	end := r.append(e, "kitchen", "end", 1, "")
	log := pages(r, e, "kitchen", 50)
	for i, in := range inboxes {
		got := in.has(end.ID)
		first := slices.IndexFunc(log, func(m chat.Msg) bool { return m.Seq == got[0].Seq })
		if first < 0 || first > 0 && log[first-1].Seq > bounds[i] {
			r.Fatalf("subscriber %d begins at %d, it missed something after %d", i, got[0].Seq, bounds[i])
		}
		in.wantLog(fmt.Sprint("subscriber ", i), log[first:])
	}
}

// stopWhileWriting checks that nothing arrives after stop has returned.
func stopWhileWriting(r *rig) {
	e := r.engine()
	witness, _ := r.subscribe(e, "kitchen")
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for n := range 50 {
				if _, err := e.Append(r.Context(), "kitchen", msgID(fmt.Sprint("dev", w), n), nil); err != nil {
					r.Errorf("Append: %v", err)
					return
				}
			}
		})
	}
	var stopped []*inbox
	var counts []int
	for range 20 {
		in, stop := r.subscribe(e, "kitchen")
		stop()
		stopped, counts = append(stopped, in), append(counts, len(in.all()))
	}
	wg.Wait()
	witness.has(r.append(e, "kitchen", "end", 1, "").ID)
	for i, in := range stopped {
		if n := len(in.all()); n != counts[i] {
			r.Errorf("subscriber %d had %d messages when stop returned and %d later", i, counts[i], n)
		}
	}
}

func sendReachesEverySubscriber(r *rig) {
	e := r.engine()
	if err := e.Send("nobody there", []byte("typing")); err != nil {
		r.Fatalf("Send to a room without subscribers: %v", err)
	}
	a := r.append(e, "kitchen", "ann", 1, "before")
	first, _ := r.subscribe(e, "kitchen")
	second, _ := r.subscribe(e, "kitchen")
	other, _ := r.subscribe(e, "hall")
	if err := e.Send("kitchen", []byte("typing")); err != nil {
		r.Fatalf("Send: %v", err)
	}
	for _, in := range []*inbox{first, second} {
		got := in.until("what was sent", func(msgs []chat.Msg) bool { return len(msgs) > 0 })[0]
		if got.Seq != 0 || got.ID != "" || got.Room != "kitchen" || string(got.Data) != "typing" {
			r.Errorf("Send delivered %q %s, want Seq 0, no id and the data", got.Room, show([]chat.Msg{got}))
		}
	}
	if h := head(r, e, "kitchen"); h != a.Seq {
		r.Errorf("Send moved the head of the log from %d to %d", a.Seq, h)
	}
	b := r.append(e, "kitchen", "ann", 2, "after")
	r.wantMsgs("Read after Send", r.read(e, "kitchen", 0, 0, 10), []chat.Msg{a, b})
	other.has(r.append(e, "hall", "ann", 1, "").ID)
	if got := other.all(); len(got) != 1 {
		r.Errorf("Send to one room reached another: %s", show(got))
	}
}

// head returns the Seq of the last message of a room.
func head(r *rig, e chat.Engine, room string) uint64 {
	r.Helper()
	hs, err := e.Heads(r.Context(), []string{room})
	if err != nil || len(hs) != 1 {
		r.Fatalf("Heads(%q) = %d, %v", room, hs, err)
	}
	return hs[0]
}
