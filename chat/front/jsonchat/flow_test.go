package jsonchat

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat"
	"udpchat/chat/session"
	wire "udpchat/chat/wire/jsonchat"
)

// smallBox is a connection whose outbox is far smaller than what is sent to it.
var smallBox = session.Config{OutboxBytes: 2 * (pieceBytes + aheadBytes)}

// image returns a message with an image of so many bytes.
func image(from, to int64, size int, at int64) wire.Message {
	m := letter(from, to, "", at)
	sum := md5Hex(fmt.Sprint("image", from, to, size, at))
	m.ContentType, m.MD5 = wire.Image, &sum
	m.Content = wrap([]byte("\xff\xd8\xff"+strings.Repeat("x", size)), 2)
	return m
}

// TestLargeFramesPassASmallOutbox: files and images are larger than what may wait for a client, which still gets them
// whole, and nothing in between.
func TestLargeFramesPassASmallOutbox(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		ann := w.join("ann")
		bob := w.openWith("bob", smallBox)
		bob.do(wire.Register{Identity: identity("bob")}, "")
		file := strings.Repeat("0123456789abcdef", 40_000)
		if res := ann.do(wire.SendMsg{Message: parcel(1, 2, "large.bin", file, 1)}, file); res.Err != "" {
			t.Fatal(res.Err)
		}
		pictures := []wire.Message{image(1, 2, 70_000, 2), image(1, 2, 90_000, 3)}
		for _, m := range pictures {
			if res := ann.do(wire.SendMsg{Message: m}, ""); res.Err != "" {
				t.Fatal(res.Err)
			}
		}
		ann.do(wire.SendMsg{Message: letter(1, 2, "behind them", 4)}, "")
		got := bob.forwarded()
		if len(got) != 4 || got[1].Content != pictures[0].Content || got[2].Content != pictures[1].Content || got[3].Timestamp != 4 {
			t.Fatalf("bob got %d messages, want the file, both images whole, and a text", len(got))
		}
		bob.request(wire.FetchFile{MsgMD5: *got[0].MD5}, "")
		ann.request(wire.SendMsg{Message: letter(1, 2, "meanwhile", 5)}, "")
		heard := bob.heard()
		if want := fmt.Sprintf(`{"response":"FETCHFILE","status":"OK","info":null,"body":null} + %q`, file); len(heard) != 2 || heard[0] != want && heard[1] != want {
			t.Errorf("bob got %.200q, want the file and the message", heard)
		}
		bob.request(wire.FetchMsg{}, "")
		if heard := bob.heard(); len(heard) != 1 || strings.Count(heard[0], `"userid"`) != 5 {
			t.Errorf("bob fetched %.200q, want 5 messages", heard)
		}
		if bob.closed || ann.closed {
			t.Error("somebody was cut off")
		}
	})
}

// TestClientThatReadsNothingIsCutOff: when more is parked for it than may be, and nobody else is.
func TestClientThatReadsNothingIsCutOff(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		ann, bob := w.join("ann"), w.join("bob")
		bob.Stick()
		c := w.front.devices[token(bob.token)].connections()[0]
		frame := make([]byte, 1<<20)
		for range parkedBytesMax/len(frame) + 1 {
			c.out.push(frame)
			synctest.Wait() // The first one is being written.
		}
		if bob.heard(); bob.closed {
			t.Fatal("cut off too early")
		}
		c.out.push(frame)
		synctest.Wait()
		w.mu.Lock()
		ended := strings.Join(w.ended, " ")
		w.mu.Unlock()
		if !strings.Contains(ended, session.ErrSlow.Error()) {
			t.Errorf("got ends %q, want bob too slow", ended)
		}
		if res := ann.do(wire.State{}, ""); res.Err != "" {
			t.Errorf("ann: got %q", res.Err)
		}
	})
}

// TestEventsThatPileUpCutTheDeviceOff: they are told by a goroutine that may be held up.
func TestEventsThatPileUpCutTheDeviceOff(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		ann := w.join("ann")
		d := w.front.devices[token(ann.token)]
		l := d.current()
		l.mu.Lock()
		l.telling = true // As if it were stuck.
		l.mu.Unlock()
		ev := &chat.Event{Kind: chat.KindSaid, ID: "d-1"}
		for range eventsMax {
			l.Receive(ev)
		}
		if ann.heard(); ann.closed {
			t.Fatalf("cut off at %d events", eventsMax)
		}
		l.Receive(ev)
		if ann.heard(); !ann.closed {
			t.Errorf("%d events wait, and the connection lives", eventsMax+1)
		}
	})
}

// TestUploadsAreBounded: so many at the same time, and so much by one account.
func TestUploadsAreBounded(t *testing.T) {
	inWorld(t, Config{FileBytesMax: 1 << 21}, func(w *world) {
		ann, bob := w.join("ann"), w.join("bob")
		half := strings.Repeat("x", 600_000)
		if res := ann.do(wire.SendMsg{Message: parcel(1, 2, "a", half, 1)}, half); res.Err != "" {
			t.Fatal(res.Err)
		}
		other := strings.Repeat("y", 600_000)
		if res := ann.do(wire.SendMsg{Message: parcel(1, 2, "b", other, 2)}, other); res.Err != string(errQuota) {
			t.Errorf("beyond the quota: got %q", res.Err)
		}
		// What was refused is not charged, and what is there already is not charged again.
		for _, file := range []string{half, strings.Repeat("z", 300_000)} {
			if res := ann.do(wire.SendMsg{Message: parcel(1, 2, "c", file, 3)}, file); res.Err != "" {
				t.Errorf("%d bytes: got %q", len(file), res.Err)
			}
		}
		if usage, err := w.accounts.Usage(w.ctx, "ann"); err != nil || usage.Bytes != 900_000 {
			t.Errorf("ann answers for %d bytes, %v", usage.Bytes, err)
		}
		for range uploadsMax {
			w.front.uploads.places <- struct{}{}
		}
		if res := bob.do(wire.SendMsg{Message: parcel(2, 1, "d", "small", 4)}, "small"); res.Err != string(errUploads) {
			t.Errorf("one upload too many: got %q", res.Err)
		}
		<-w.front.uploads.places
		if res := bob.do(wire.SendMsg{Message: parcel(2, 1, "d", "small", 4)}, "small"); res.Err != "" {
			t.Errorf("with room again: got %q", res.Err)
		}
		if n := len(w.front.uploads.places); n != uploadsMax-1 {
			t.Errorf("after it %d places are taken, want %d", n, uploadsMax-1)
		}
	})
}

// TestOneAccountCannotTakeAllPlaces: neither for uploads, which are refused, nor for large answers, for which others wait.
func TestOneAccountCannotTakeAllPlaces(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		ann, bob := w.join("ann"), w.join("bob")
		file := strings.Repeat("x", 1000)
		for i := range busyPerAccountMax {
			c := ann.more(fmt.Sprint("upload", i))
			frame := string(wire.AppendFrame(nil, wire.Long, wire.AppendRequest(nil, wire.SendMsg{Message: parcel(1, 2, "a", file+fmt.Sprint(i), 1)}, c.token), 1001))
			c.Send(frame + file) // The last byte is missing.
			c.heard()
		}
		if res := ann.do(wire.SendMsg{Message: parcel(1, 2, "b", "y", 2)}, "y"); res.Err != string(errUploads) {
			t.Errorf("ann's fifth upload: got %q", res.Err)
		}
		if res := bob.do(wire.SendMsg{Message: parcel(2, 1, "b", "y", 3)}, "y"); res.Err != "" {
			t.Errorf("bob's first: got %q", res.Err)
		}
		for i := range busyPerAccountMax {
			w.conn(fmt.Sprint("upload", i)).Send(fmt.Sprint(i))
		}
		if res := ann.do(wire.SendMsg{Message: parcel(1, 2, "b", "y", 4)}, "y"); res.Err != "" {
			t.Errorf("when they are done: got %q", res.Err)
		}
		for range busyPerAccountMax {
			if _, err := w.front.fetches.enter(w.ctx, "ann"); err != nil {
				t.Fatal(err)
			}
		}
		if res := ann.do(wire.FetchMsg{}, ""); res.Err != string(errTooFast) {
			t.Errorf("ann's fifth large answer: got %q", res.Err)
		}
		for range fetchesMax - busyPerAccountMax {
			w.front.fetches.places <- struct{}{}
		}
		bob.heard()
		bob.request(wire.FetchContact{}, "")
		if got := bob.heard(); len(got) != 0 {
			t.Errorf("bob's first, while all places are taken: got %q", got)
		}
		<-w.front.fetches.places
		if res := bob.answer(); res.Name != "FETCHCONTACT" || res.Err != "" {
			t.Errorf("with room again: got %+v", res)
		}
	})
}

// TestFramesThatComeInSlowly: they take memory, so there is an end to them, and to how many large ones there are.
func TestFramesThatComeInSlowly(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		head := func(size int) string {
			return string(wire.AppendFrame(nil, wire.Long, make([]byte, size), 0)[:12]) + "{"
		}
		slow := w.open("slow")
		slow.Send(head(1000))
		for range 9 {
			time.Sleep(time.Minute)
			slow.Send(" ")
		}
		if slow.heard(); slow.closed {
			t.Error("closed too early")
		}
		time.Sleep(time.Minute + time.Second)
		if slow.heard(); !slow.closed || w.ended[0] != "slow: "+errFrameSlow.Error() {
			t.Errorf("got ends %q, want that it took too long", w.ended)
		}
		idle := w.open("idle")
		idle.do(wire.State{}, "")
		const header, part = 12, 2 * largeBytes
		w.front.largeMost = 8 * (header + part)
		for i := range 20 { // Announced, they are more than there may be.
			w.open(fmt.Sprint("announced", i)).Send(head(wire.JSONBytesMax))
		}
		large := func(name string) *client {
			c := w.open(name)
			c.Send(head(part + 1))
			c.Send(strings.Repeat(" ", part-1))
			c.heard()
			return c
		}
		for i := range 8 {
			if c := large(fmt.Sprint("large", i)); c.closed {
				t.Errorf("large one %d was refused", i)
			}
		}
		late := w.open("late")
		late.Send(head(part + 1))
		late.Send(strings.Repeat(" ", part-1))
		if got := late.heard(); len(got) != 1 || !strings.Contains(got[0], string(errBusy)) || !late.closed {
			t.Errorf("one too many: got %q", got)
		}
		small := w.open("small")
		small.Send(head(largeBytes))
		if small.heard(); small.closed {
			t.Error("one that is not large was refused")
		}
		w.conn("large0").Send("}")
		if got := w.conn("large0").heard(); len(got) == 0 {
			t.Error("a large one that is there got no answer")
		}
		if again := large("again"); again.closed {
			t.Error("there is no room again")
		}
		time.Sleep(time.Hour)
		if res := idle.do(wire.State{}, ""); res.Name != "STATE" {
			t.Errorf("a connection that was idle got %+v", res)
		}
		if n := w.front.large.Load(); n != 0 {
			t.Errorf("%d bytes still count", n)
		}
	})
}

// TestBrokenUploadLeavesNothing: neither a file nor a charge, whatever broke it off.
func TestBrokenUploadLeavesNothing(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		ann, bob := w.join("ann"), w.join("bob")
		file := strings.Repeat("x", 100_000)
		m := parcel(1, 2, "a", file, 1)
		for i, end := range []func(c *client){func(c *client) { c.EOF() }, func(c *client) { c.Lose() }} {
			c := ann.more(fmt.Sprint("upload", i))
			frame := string(wire.AppendFrame(nil, wire.Long, wire.AppendRequest(nil, wire.SendMsg{Message: m}, c.token), int64(len(file))))
			c.Send(frame + file[:60_000])
			c.heard()
			end(c)
			if c.heard(); !c.closed {
				t.Errorf("%s is open", c.Name)
			}
		}
		if res := ann.do(wire.FindFile{FileMD5: *m.FileMD5}, ""); res.Err != string(errFileUnknown) {
			t.Errorf("got %q, want no file", res.Err)
		}
		if usage, err := w.accounts.Usage(w.ctx, "ann"); err != nil || usage.Bytes != 0 || len(w.front.uploads.places) != 0 {
			t.Errorf("ann answers for %d bytes, %v; %d uploads", usage.Bytes, err, len(w.front.uploads.places))
		}
		if got := bob.forwarded(); len(got) != 0 || strings.Contains(w.log.String(), "internal") {
			t.Errorf("bob got %d messages, log %q", len(got), w.log.String())
		}
	})
}

// TestPileKeepsTheNewest: of very many and of very large messages, in any order of conversations.
func TestPileKeepsTheNewest(t *testing.T) {
	p := pile{after: 5}
	for conv := range 3 {
		p.begin()
		for i := 3 * fetchMessagesMax; i > 0; i-- {
			m := found{stored: stored{tag: tag{timestamp: int64(i*3 + conv)}, tagged: true, seq: uint64(i), at: time.Unix(1, 0)}}
			if !p.add(m) {
				break
			}
		}
	}
	p.trim()
	if len(p.found) != fetchMessagesMax || p.found[0].timestamp() != 9*fetchMessagesMax+2 {
		t.Fatalf("got %d messages, the newest of %d", len(p.found), p.found[0].timestamp())
	}
	for i, m := range p.found {
		if want := int64(9*fetchMessagesMax + 2 - i); m.timestamp() != want {
			t.Fatalf("message %d is of %d, want %d", i, m.timestamp(), want)
		}
	}
	big, text := pile{}, strings.Repeat("x", 64<<10)
	big.begin()
	for i := range 200 {
		m := found{stored: stored{text: text, tag: tag{timestamp: int64(1000 - i)}, tagged: true, at: time.Unix(1, 0)}}
		if !big.add(m) {
			break
		}
	}
	big.trim()
	if big.bytes > fetchBytesMax || len(big.found) < 20 || big.found[0].timestamp() != 1000 {
		t.Errorf("got %d messages of %d bytes", len(big.found), big.bytes)
	}
}

// TestTooLongFrameDoesNotEndTheConnection: somebody who sends a photograph as it is hears that it is too large, and goes on.
func TestTooLongFrameDoesNotEndTheConnection(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		ann := w.join("ann")
		photo := string(wire.AppendFrame(nil, wire.Long, []byte(`{"request":"SENDMSG","body":"`+strings.Repeat("x", wire.JSONBytesMax)+`"}`), 4)) + "file"
		ann.Send(photo[:1000])
		ann.Send(photo[1000:])
		if got := ann.heard(); len(got) != 1 || !strings.Contains(got[0], string(errFrame)) {
			t.Errorf("got %q, want a refusal", got)
		}
		if res := ann.do(wire.State{}, ""); res.Err != "" {
			t.Errorf("after it: got %q", res.Err)
		}
		for _, d := range w.front.devices {
			for _, c := range d.connections() {
				if len(c.buf) != readBytes {
					t.Errorf("a buffer of %d bytes is left", len(c.buf))
				}
			}
		}
	})
}
