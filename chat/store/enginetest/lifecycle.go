package enginetest

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"udpchat/chat"
)

func closeRefuses(r *rig) {
	e := r.engine()
	ctx := r.Context()
	in, stop := r.subscribe(e, "kitchen")
	in.has(r.append(e, "kitchen", "ann", 1, "text").ID)
	for range 2 {
		if err := e.Close(); err != nil {
			r.Fatalf("Close: %v", err)
		}
	}
	for what, f := range map[string]func() error{
		"Append":    func() error { _, err := e.Append(ctx, "kitchen", "ann-2", nil); return err },
		"Read":      func() error { _, err := e.Read(ctx, "kitchen", 0, 0, 10); return err },
		"Heads":     func() error { _, err := e.Heads(ctx, []string{"kitchen"}); return err },
		"Epoch":     func() error { _, err := e.Epoch(ctx, "kitchen"); return err },
		"Drop":      func() error { return e.Drop(ctx, "kitchen", 1, 0) },
		"Send":      func() error { return e.Send("kitchen", nil) },
		"Subscribe": func() error { _, err := e.Subscribe("kitchen", in.take); return err },
		"Get":       func() error { _, err := e.Get(ctx, "users", "ann"); return err },
		"Put":       func() error { _, err := e.Put(ctx, "users", "ann", nil, 0); return err },
		"Delete":    func() error { return e.Delete(ctx, "users", "ann", 0) },
		"List":      func() error { _, err := e.List(ctx, "users", ""); return err },
		"PutBlob":   func() error { _, _, err := e.PutBlob(ctx, strings.NewReader("x")); return err },
		"GetBlob":   func() error { _, err := e.GetBlob(ctx, sum(nil), 0); return err },
		"DropBlob":  func() error { return e.DropBlob(ctx, sum(nil)) },
		"Health":    e.Health,
	} {
		r.wantErr(what+" after Close", f(), chat.ErrClosed)
	}
	stop()
	if got := in.all(); len(got) != 1 {
		r.Errorf("delivered after Close: %s", show(got))
	}
}

// closeWhileWriting checks that nobody hangs, and that nothing is delivered after Close.
func closeWhileWriting(r *rig) {
	e := r.engine()
	in, _ := r.subscribe(e, "kitchen")
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for n := 0; ; n++ {
				_, err := e.Append(r.Context(), "kitchen", msgID(fmt.Sprint("dev", w), n), nil)
				if err != nil {
					r.wantErr("Append during Close", err, chat.ErrClosed)
					return
				}
			}
		})
	}
	in.until("the first of many", func(msgs []chat.Msg) bool { return len(msgs) > 10 })
	if err := e.Close(); err != nil {
		r.Errorf("Close: %v", err)
	}
	n := len(in.all())
	wg.Wait()
	if later := len(in.all()); later != n {
		r.Errorf("%d messages were delivered after Close", later-n)
	}
}

// reopenKnowsEverything closes an engine twice and looks for what was there before.
func reopenKnowsEverything(r *rig) {
	e := r.engine()
	log := fill(r, e, "kitchen", 20)
	drop(r, e, "kitchen", log[4].Seq, log[7].Seq)
	log = append(log[5:7:7], log[8:]...)
	rev := r.put(e, "users", "ann", "one", 0)
	gone := r.put(e, "users", "bob", "two", 0)
	if err := e.Delete(r.Context(), "users", "bob", gone); err != nil {
		r.Fatalf("Delete: %v", err)
	}
	b := content(100_000)
	blob := r.putBlob(e, b)
	epoch := epochOf(r, e, "kitchen")
	for range 2 {
		if err := e.Close(); err != nil {
			r.Fatalf("Close: %v", err)
		}
		e = r.engine()
		if now := epochOf(r, e, "kitchen"); now != epoch {
			r.Errorf("epoch was %q and is %q", epoch, now)
		}
		last := log[len(log)-1]
		r.wantMsgs("Read", r.read(e, "kitchen", 0, 0, 100), log)
		if h := head(r, e, "kitchen"); h != last.Seq {
			r.Errorf("head is %d, want %d", h, last.Seq)
		}
		in, _ := r.subscribe(e, "kitchen")
		for _, m := range []chat.Msg{log[0], last} {
			again, err := e.Append(r.Context(), "kitchen", m.ID, nil)
			if err != nil || again.Seq != m.Seq {
				r.Errorf("Append of id %s again = %d, %v, want %d", m.ID, again.Seq, err, m.Seq)
			}
		}
		next := r.append(e, "kitchen", "bob", len(log), "next")
		if next.Seq <= last.Seq {
			r.Errorf("Seq %d after %d", next.Seq, last.Seq)
		}
		in.has(next.ID)
		in.wantLog("delivered", []chat.Msg{next})
		log = append(log, next)
		r.wantEntry(e, "users", "ann", "one", rev)
		_, err := e.Get(r.Context(), "users", "bob")
		r.wantErr("Get of what was deleted", err, chat.ErrNotFound)
		r.wantBlob(e, blob, 0, b)
	}
	if again := r.put(e, "users", "bob", "three", 0); again <= gone {
		r.Errorf("a record made again has revision %d, its past had %d", again, gone)
	}
}

// nodesShareOneOrder writes to two rooms from three nodes and compares what all of them saw.
func nodesShareOneOrder(r *rig) {
	const each = 60
	nodes := []chat.Engine{r.engine(), r.engine(), r.engine()}
	var inboxes []*inbox
	for _, e := range nodes {
		in, _ := r.subscribe(e, "kitchen")
		inboxes = append(inboxes, in)
	}
	var wg sync.WaitGroup
	for w, e := range nodes {
		other := nodes[(w+1)%len(nodes)]
		wg.Go(func() {
			for n := range each {
				id := msgID(fmt.Sprint("dev", w), n)
				a, err := e.Append(r.Context(), "kitchen", id, []byte(id))
				b, err2 := other.Append(r.Context(), "kitchen", id, []byte(id))
				if err := errors.Join(err, err2); err != nil || a.Seq != b.Seq {
					r.Errorf("Append of %s on two nodes = %d and %d, %v", id, a.Seq, b.Seq, err)
					return
				}
			}
		})
	}
	wg.Wait()
	end := r.append(nodes[0], "kitchen", "end", 1, "")
	log := pages(r, nodes[0], "kitchen", 50)
	if len(log) != len(nodes)*each+1 {
		r.Errorf("log has %s, want %d", show(log), len(nodes)*each+1)
	}
	for i, in := range inboxes {
		in.has(end.ID)
		in.wantLog(fmt.Sprint("node ", i), log)
		r.wantMsgs(fmt.Sprint("Read on node ", i), r.read(nodes[i], "kitchen", 0, 0, 1000), log)
	}
	if err := nodes[1].Send("kitchen", []byte("typing")); err != nil {
		r.Fatalf("Send: %v", err)
	}
	for _, in := range inboxes {
		in.until("what another node sent", func(msgs []chat.Msg) bool { return msgs[len(msgs)-1].Seq == 0 })
	}
}

func nodesShareRecordsAndFiles(r *rig) {
	a, b := r.engine(), r.engine()
	if epochOf(r, a, "kitchen") != epochOf(r, b, "kitchen") {
		r.Errorf("two nodes have different epochs")
	}
	rev := r.put(a, "users", "ann", "one", 0)
	r.wantEntry(b, "users", "ann", "one", rev)
	rev2 := r.put(b, "users", "ann", "two", rev)
	_, err := a.Put(r.Context(), "users", "ann", nil, rev)
	r.wantErr("Put over a revision that another node replaced", err, chat.ErrConflict)
	r.wantEntry(a, "users", "ann", "two", rev2)
	r.wantBlob(b, r.putBlob(a, content(70_000)), 0, content(70_000))
}
