package enginetest

import (
	"fmt"
	"math"
	"slices"

	"udpchat/chat"
)

// fill appends n messages to a room.
func fill(r *rig, e chat.Engine, room string, n int) []chat.Msg {
	r.Helper()
	var msgs []chat.Msg
	for i := range n {
		msgs = append(msgs, r.append(e, room, "ann", i, fmt.Sprint("text ", i)))
	}
	return msgs
}

// readPages pages through a log in both directions, with other rooms in between.
func readPages(r *rig) {
	e := r.engine()
	var log []chat.Msg
	for i := range 30 {
		log = append(log, r.append(e, "kitchen", "ann", i, fmt.Sprint("text ", i)))
		if i%3 == 0 {
			r.append(e, "hall", "ann", i, "elsewhere")
		}
	}
	for _, n := range []int{1, 4, 30, 1000} {
		r.wantMsgs(fmt.Sprintf("forwards by %d", n), pages(r, e, "kitchen", n), log)
		var back []chat.Msg
		before := uint64(math.MaxUint64)
		for {
			page := r.read(e, "kitchen", 0, before, n)
			if len(page) == 0 {
				break
			}
			back = append(page, back...)
			before = page[0].Seq
		}
		r.wantMsgs(fmt.Sprintf("backwards by %d", n), back, log)
	}
}

func readBounds(r *rig) {
	e := r.engine()
	log := fill(r, e, "kitchen", 10)
	at := func(i int) uint64 { return log[i].Seq }
	for _, c := range []struct {
		what          string
		after, before uint64
		n             int
		want          []chat.Msg
	}{
		{"the oldest", 0, 0, 3, log[:3]},
		{"after the third", at(2), 0, 3, log[3:6]},
		{"after the third, all", at(2), 0, 100, log[3:]},
		{"after the last", at(9), 0, 3, nil},
		{"after the end of numbers", math.MaxUint64, 0, 3, nil},
		{"the newest", 0, math.MaxUint64, 3, log[7:]},
		{"before the fifth", 0, at(4), 3, log[1:4]},
		{"before the fifth, all", 0, at(4), 100, log[:4]},
		{"before the first", 0, at(0), 3, nil},
		{"before 1", 0, 1, 3, nil},
		{"between, enough", at(2), at(6), 100, log[3:6]},
		{"between, the newest", at(2), at(8), 2, log[6:8]},
		{"between neighbours", at(2), at(3), 2, nil},
		{"between the wrong way round", at(6), at(2), 2, nil},
		{"none", 0, 0, 0, nil},
		{"none of the newest", 0, math.MaxUint64, 0, nil},
	} {
		r.wantMsgs(c.what, r.read(e, "kitchen", c.after, c.before, c.n), c.want)
	}
	r.wantMsgs("a room without messages", r.read(e, "hall", 0, 0, 10), nil)
}

func heads(r *rig) {
	e := r.engine()
	a := fill(r, e, "kitchen", 3)
	b := fill(r, e, "hall", 1)
	in, stop := r.subscribe(e, "cellar") // Known to the engine, but without messages.
	defer stop()
	_ = in
	got, err := e.Heads(r.Context(), []string{"hall", "attic", "kitchen", "cellar", "hall"})
	want := []uint64{b[0].Seq, 0, a[2].Seq, 0, b[0].Seq}
	if err != nil || !slices.Equal(got, want) {
		r.Errorf("Heads = %d, %v, want %d", got, err, want)
	}
	if got, err := e.Heads(r.Context(), nil); err != nil || len(got) != 0 {
		r.Errorf("Heads of no rooms = %d, %v", got, err)
	}
}

func dropUpto(r *rig) {
	e := r.engine()
	log := fill(r, e, "kitchen", 10)
	elsewhere := fill(r, e, "hall", 3)
	drop(r, e, "kitchen", log[5].Seq, 0)
	r.wantMsgs("Read after Drop", r.read(e, "kitchen", 0, 0, 100), log[6:])
	r.wantMsgs("Read of the newest after Drop", r.read(e, "kitchen", 0, math.MaxUint64, 100), log[6:])
	r.wantMsgs("Read of another room", r.read(e, "hall", 0, 0, 100), elsewhere)
	drop(r, e, "kitchen", log[2].Seq, 0)
	r.wantMsgs("Read after Drop of what is gone", r.read(e, "kitchen", 0, 0, 100), log[6:])
	if msg := r.append(e, "kitchen", "ann", 4, "again"); msg.Seq != log[4].Seq {
		r.Errorf("the id of a dropped message came back as %d, first was %d", msg.Seq, log[4].Seq)
	}
	drop(r, e, "kitchen", math.MaxUint64, 0)
	r.wantMsgs("Read after Drop of all", r.read(e, "kitchen", 0, 0, 100), nil)
	if h := head(r, e, "kitchen"); h != log[9].Seq {
		r.Errorf("head is %d after Drop of all, want %d", h, log[9].Seq)
	}
	next := r.append(e, "kitchen", "ann", 10, "next")
	if next.Seq <= log[9].Seq {
		r.Errorf("Seq %d after Drop of all, want one above %d", next.Seq, log[9].Seq)
	}
	r.wantMsgs("Read of what came after", r.read(e, "kitchen", 0, 0, 100), []chat.Msg{next})
	drop(r, e, "attic", math.MaxUint64, 1)
}

func dropOnly(r *rig) {
	e := r.engine()
	in, _ := r.subscribe(e, "kitchen")
	log := fill(r, e, "kitchen", 6)
	drop(r, e, "kitchen", 0, 0)
	r.wantMsgs("Read after Drop of nothing", r.read(e, "kitchen", 0, 0, 100), log)
	drop(r, e, "kitchen", 0, log[3].Seq)
	drop(r, e, "kitchen", 0, log[5].Seq)
	r.wantMsgs("Read after Drop", r.read(e, "kitchen", 0, 0, 100), []chat.Msg{log[0], log[1], log[2], log[4]})
	r.wantMsgs("a page over the hole", r.read(e, "kitchen", log[1].Seq, 0, 2), []chat.Msg{log[2], log[4]})
	r.wantMsgs("a page backwards over the hole", r.read(e, "kitchen", 0, math.MaxUint64, 2), []chat.Msg{log[2], log[4]})
	if msg := r.append(e, "kitchen", "ann", 3, "again"); msg.Seq != log[3].Seq {
		r.Errorf("the id of a dropped message came back as %d, first was %d", msg.Seq, log[3].Seq)
	}
	drop(r, e, "kitchen", log[0].Seq, log[2].Seq)
	r.wantMsgs("Read after Drop of both kinds", r.read(e, "kitchen", 0, 0, 100), []chat.Msg{log[1], log[4]})
	end := r.append(e, "kitchen", "end", 1, "")
	in.has(end.ID)
	in.wantLog("delivered", append(slices.Clone(log), end))
}

func drop(r *rig, e chat.Engine, room string, upto, only uint64) {
	r.Helper()
	if err := e.Drop(r.Context(), room, upto, only); err != nil {
		r.Fatalf("Drop(%q, %d, %d): %v", room, upto, only, err)
	}
}
