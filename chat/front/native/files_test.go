package native

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat"
	"udpchat/chat/session"
	wire "udpchat/chat/wire/native"
)

// content returns n bytes and their digest.
func content(n int) ([]byte, []byte) {
	b := bytes.Repeat([]byte("0123456789abcdef"), n/16+1)[:n]
	sum := sha256.Sum256(b)
	return b, sum[:]
}

// ticket connects a session that presents a ticket, and returns the answer.
func (w *world) ticket(name, token string, offset uint64) (*client, wire.Reply) {
	c := w.open(name, session.TransportStream).read()
	c.write([]byte(Greeting))
	ask[wire.Welcome](c, wire.Hello{Version: 1, VersionMin: 1})
	return c, c.answer(c.send(wire.Transfer{Token: token, Offset: offset}))
}

// chunks sends b as the part of a file that begins at offset.
func (c *client) chunks(b []byte, offset uint64) {
	for len(b) > 0 {
		n := min(len(b), wire.ChunkBytesMax)
		c.write(frame(wire.AppendRequest(nil, 0, wire.Chunk{Offset: offset, Data: b[:n]})))
		b, offset = b[n:], offset+uint64(n)
	}
}

// store uploads a file for c, all at once.
func (c *client) store(name string, b, sum []byte) wire.Reply {
	t := ask[wire.Ticket](c, wire.Upload{Digest: sum, Size: uint64(len(b))})
	up, begun := c.w.ticket(name, t.Token, 0)
	if _, ok := begun.(wire.Transferring); !ok {
		return begun
	}
	up.chunks(b, t.Offset)
	defer up.hangUp()
	return up.answer(up.send(wire.Finish{}))
}

// load downloads what a ticket is for, from offset on.
func (w *world) load(name string, t wire.Ticket, offset uint64) []byte {
	down, begun := w.ticket(name, t.Token, offset)
	if m, ok := begun.(wire.Transferring); !ok || m.Upload || m.Offset != offset || m.Size != t.Size {
		w.t.Fatalf("got %+v", begun)
	}
	var b []byte
	for {
		r := down.wait("chunk", func(r reply) bool { return r.head.ID == 0 })
		switch m := r.(type) {
		case wire.Chunk:
			if m.Offset != offset+uint64(len(b)) {
				w.t.Fatalf("chunk at %d, want %d", m.Offset, offset+uint64(len(b)))
			}
			b = append(b, m.Data...)
		case wire.Finish:
			down.hangUp()
			return b
		default:
			w.t.Fatalf("got %+v", r)
		}
	}
}

// An upload that breaks off goes on where it stopped; the file comes down whole, and from any place.
func TestFilesGoOnWhereTheyBrokeOff(t *testing.T) {
	inWorld(t, setUp{files: true}, func(w *world) {
		ann, bob := w.register("ann"), w.register("bob")
		b, sum := content(300_000)
		t1 := ask[wire.Ticket](ann, wire.Upload{Digest: sum, Size: uint64(len(b))})
		up, _ := w.ticket("first", t1.Token, 0)
		up.chunks(b[:100_000], 0)
		up.answer(up.send(wire.Ping{}))
		up.hangUp()
		w.end(up)

		t2 := ask[wire.Ticket](ann, wire.Upload{Digest: sum, Size: uint64(len(b))})
		if t2.Offset != 100_000 || t2.Token == t1.Token {
			t.Fatalf("got %+v, want to go on at 100000", t2)
		}
		up, begun := w.ticket("second", t2.Token, 0)
		if m, ok := begun.(wire.Transferring); !ok || !m.Upload || m.Offset != 100_000 {
			t.Fatalf("got %+v", begun)
		}
		up.chunks(b[100_000:], 100_000)
		if done, ok := up.answer(up.send(wire.Finish{})).(wire.Done); !ok {
			t.Fatalf("got %+v", done)
		}
		up.hangUp()
		if err := w.end(up); !errors.Is(err, ErrTransferred) {
			t.Errorf("ended with %v", err)
		}
		if left, _ := filepath.Glob(filepath.Join(w.front.cfg.Spool, "*")); len(left) != 0 {
			t.Errorf("left in the spool: %v", left)
		}
		if again := ask[wire.Ticket](ann, wire.Upload{Digest: sum, Size: uint64(len(b))}); again.Token != "" {
			t.Errorf("a file that is there: got %+v, want nothing to transfer", again)
		}

		place := ask[wire.Place](ann, wire.Direct{Peer: "bob"})
		file := &wire.File{Digest: sum, Size: uint64(len(b)), Name: "a.txt", Type: "text/plain"}
		said := ask[wire.Said](ann, wire.Say{Log: place.Log, Counter: 1, File: file})
		bob.refused(wire.CodeNoFile, wire.Say{Log: place.Log, Counter: 1, File: file})
		page := ask[wire.Page](bob, wire.History{Log: place.Log, N: 1})
		if f := page.Events[0].File; f == nil || f.Name != "a.txt" || f.Type != "text/plain" || !bytes.Equal(f.Digest, sum) {
			t.Errorf("bob reads %+v", page)
		}
		for name, offset := range map[string]uint64{"whole": 0, "middle": 250_001, "end": 300_000} {
			down := ask[wire.Ticket](bob, wire.Download{Log: place.Log, Seq: said.Seq})
			if got := w.load(name, down, offset); !bytes.Equal(got, b[offset:]) {
				t.Errorf("%s: got %d bytes, want %d", name, len(got), len(b)-int(offset))
			}
		}
	})
}

// What nobody would miss is refused: used and old tickets, wrong bytes, wrong places, what is no transfer.
func TestTransfersAreRefused(t *testing.T) {
	inWorld(t, setUp{files: true}, func(w *world) {
		ann := w.register("ann")
		b, sum := content(100)
		code := func(name string, r wire.Reply, want wire.Code) {
			t.Helper()
			if e, ok := r.(wire.Error); !ok || e.Code != want {
				t.Errorf("%s: got %+v, want %v", name, r, want)
			}
		}
		_, r := w.ticket("no ticket", "nonsense", 0)
		code("no ticket", r, wire.CodeBadToken)

		ticket := func() string { return ask[wire.Ticket](ann, wire.Upload{Digest: sum, Size: 100}).Token }
		old := ticket()
		time.Sleep(ticketLife)
		_, r = w.ticket("old", old, 0)
		code("old ticket", r, wire.CodeBadToken)

		token := ticket()
		up, _ := w.ticket("gap", token, 0)
		code("a chunk beyond the end of what came", up.answer(up.send(wire.Chunk{Offset: 7, Data: b[:1]})), wire.CodeOffset)
		w.end(up)
		_, r = w.ticket("used", token, 0)
		code("used ticket", r, wire.CodeBadToken)

		up, _ = w.ticket("too much", ticket(), 0)
		code("more than announced", up.answer(up.send(wire.Chunk{Data: append(b, 'x')})), wire.CodeChecksum)
		up, _ = w.ticket("too early", ticket(), 0)
		code("an end too early", up.answer(up.send(wire.Finish{})), wire.CodeOffset)
		up, _ = w.ticket("other request", ticket(), 0)
		code("something else", up.answer(up.send(wire.Conversations{})), wire.CodeOutOfOrder)

		lost, _ := w.ticket("lost", ticket(), 0)
		up, _ = w.ticket("another way", ticket(), 0)
		if err := w.end(lost); !errors.Is(err, ErrEvicted) {
			t.Errorf("the connection before it: ended with %v", err)
		}
		up.chunks(bytes.Repeat([]byte("x"), 100), 0)
		code("wrong bytes", up.answer(up.send(wire.Finish{})), wire.CodeChecksum)
		w.end(up)
		if usage, err := w.accounts.Usage(t.Context(), "ann"); err != nil || usage.Bytes != 0 {
			t.Errorf("wrong bytes are charged: %+v, %v", usage, err)
		}
		if again := ask[wire.Ticket](ann, wire.Upload{Digest: sum, Size: 100}); again.Offset != 0 {
			t.Errorf("wrong bytes are kept: %+v", again)
		}

		silent, _ := w.ticket("silent", ticket(), 0)
		if err := w.end(silent); !errors.Is(err, ErrSilent) {
			t.Errorf("a transfer that stands still: ended with %v", err)
		}
	})
}

// An account cannot store more than its quota, what it is uploading included, nor begin without end.
func TestQuotas(t *testing.T) {
	inWorld(t, setUp{files: true, quota: 1000}, func(w *world) {
		ann := w.register("ann")
		small, sum := content(600)
		ann.refused(wire.CodeTooLong, wire.Upload{Digest: sum, Size: fileBytesMax + 1})
		ann.refused(wire.CodeQuota, wire.Upload{Digest: sum, Size: 1001})
		if done, ok := ann.store("up", small, sum).(wire.Done); !ok {
			t.Fatalf("got %+v", done)
		}
		_, other := content(401)
		ann.refused(wire.CodeQuota, wire.Upload{Digest: other, Size: 401})
		// What is under way is reserved.
		half := ask[wire.Ticket](ann, wire.Upload{Digest: other, Size: 300})
		up, _ := w.ticket("half", half.Token, 0)
		up.chunks(make([]byte, 10), 0)
		up.answer(up.send(wire.Ping{}))
		_, third := content(101)
		ann.refused(wire.CodeQuota, wire.Upload{Digest: third, Size: 101})
		ask[wire.Ticket](ann, wire.Upload{Digest: third, Size: 100})
		up.hangUp()

		// After a day what was not completed is forgotten.
		w.end(up)
		parts, err := filepath.Glob(filepath.Join(w.front.cfg.Spool, "*"))
		if err != nil || len(parts) != 1 {
			t.Fatalf("in the spool: %v, %v", parts, err)
		}
		yesterday := time.Now().Add(-partLife)
		if err := os.Chtimes(parts[0], yesterday, yesterday); err != nil {
			t.Fatal(err)
		}
		time.Sleep(partsInterval)
		ask[wire.Ticket](ann, wire.Upload{Digest: third, Size: 101})
	})
}

// Too many tickets of one account are refused until some are used or old.
func TestTicketsAreLimited(t *testing.T) {
	now := time.Unix(1000, 0)
	ts := newTickets()
	var last string
	for range ticketsPerAccount {
		token, err := ts.issue(now, ticket{account: "ann"})
		if err != nil {
			t.Fatal(err)
		}
		last = token
	}
	if _, err := ts.issue(now, ticket{account: "ann"}); err == nil {
		t.Error("one more is issued")
	}
	if _, err := ts.issue(now, ticket{account: "bob"}); err != nil {
		t.Errorf("another account: %v", err)
	}
	if _, err := ts.begin(now, new(conn), last); err != nil {
		t.Error(err)
	}
	if _, err := ts.issue(now, ticket{account: "ann"}); err != nil {
		t.Errorf("after one was used: %v", err)
	}
	if _, err := ts.issue(now.Add(ticketLife), ticket{account: "ann"}); err != nil || len(ts.open) != 1 {
		t.Errorf("after all are old: %v, %d are left", err, len(ts.open))
	}
}

// A file that nobody was told of is dropped after a week, and may be uploaded anew; one that was announced stays.
func TestFilesThatWereNotAnnouncedAreCollected(t *testing.T) {
	inWorld(t, setUp{files: true}, func(w *world) {
		ann := w.register("ann")
		w.register("bob")
		place := ask[wire.Place](ann, wire.Direct{Peer: "bob"})
		files := map[bool]*wire.File{}
		for _, announced := range []bool{false, true} {
			b, sum := content(1000 + len(files))
			files[announced] = &wire.File{Digest: sum, Size: uint64(len(b)), Name: "a.txt"}
			if done, ok := ann.store(fmt.Sprint("upload ", announced), b, sum).(wire.Done); !ok {
				t.Fatalf("upload: got %+v", done)
			}
		}
		ask[wire.Said](ann, wire.Say{Log: place.Log, Counter: 1, File: files[true]})
		ann.refused(wire.CodeNotMember, wire.Say{Log: "hall", Counter: 1, File: files[false]}) // Which tells nobody of it.
		w.collect(8 * 24 * time.Hour)
		for announced, file := range files {
			r, err := w.engine.GetBlob(w.ctx, digest(file.Digest).id(), 0)
			switch {
			case err == nil && announced:
				err = r.Close()
			case errors.Is(err, chat.ErrNotFound) && !announced:
				err = nil
			}
			if err != nil {
				t.Errorf("announced %t: it is there: %v, %v", announced, r != nil, err)
			}
		}
		ann.refused(wire.CodeNoFile, wire.Say{Log: place.Log, Counter: 2, File: files[false]})
	})
}

// Of an account that is no more it is not kept what it has uploaded.
func TestUploadsOfAnAccountThatIsNoMoreAreForgotten(t *testing.T) {
	inWorld(t, setUp{files: true}, func(w *world) {
		ann, bob := w.register("ann"), w.register("bob")
		b, sum := content(1000)
		for name, c := range map[string]*client{"ann": ann, "bob": bob} {
			if done, ok := c.store(name+"'s", b, sum).(wire.Done); !ok {
				t.Fatalf("upload: got %+v", done)
			}
		}
		if err := w.front.ForgetAccount(w.ctx, "ann"); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]bool{"ann": false, "bob": true} {
			if _, ok, err := w.front.uploaded(w.ctx, name, digest(sum)); ok != want || err != nil {
				t.Errorf("it is known that %s has uploaded it: %t, %v", name, ok, err)
			}
		}
	})
}

// collect has the server look for files that nobody was told of, after so long. The hub is closed before, since it would do
// something every two seconds of that.
func (w *world) collect(after time.Duration) {
	w.t.Helper()
	if err := w.hub.Close(); err != nil {
		w.t.Error(err)
	}
	time.Sleep(after)
	if err := w.accounts.Collect(w.ctx, w.front.Forget); err != nil {
		w.t.Error(err)
	}
}

// Whoever else stores the same bytes between a file's being stored and that being noted: it is collected when nobody was
// told of it.
func TestFileStoredTwiceAtOneMomentIsCollected(t *testing.T) {
	engine := new(gatedEngine)
	inWorld(t, setUp{files: true, engine: engine.around}, func(w *world) {
		ann, bob := w.register("ann"), w.register("bob")
		b, sum := content(1000)
		var wg sync.WaitGroup
		wg.Go(func() { ann.store("first", b, sum) })
		synctest.Wait()
		if n := engine.stored.Load(); n != 1 {
			t.Fatalf("%d have stored it", n)
		}
		if done, ok := bob.store("second", b, sum).(wire.Done); !ok {
			t.Fatalf("the second: got %+v", done)
		}
		close(engine.gate)
		wg.Wait()
		w.collect(8 * 24 * time.Hour)
		if _, err := w.engine.GetBlob(w.ctx, digest(sum).id(), 0); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("it is there still: %v", err)
		}
		for _, name := range []string{"ann", "bob"} {
			if u, err := w.accounts.Usage(w.ctx, name); err != nil || u.Files != 0 {
				t.Errorf("%s answers for %+v, %v", name, u, err)
			}
		}
	})
}
