package native

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat"
	"udpchat/chat/account"
	"udpchat/chat/passwd"
	wire "udpchat/chat/wire/native"
)

// Two people in a room: what is said is acknowledged when it is stored and comes to both with the same number.
func TestTwoPeopleTalk(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		ann, bob := w.register("ann"), w.register("bob")
		place := ask[wire.Place](ann, wire.Join{Room: "kitchen", N: 10})
		ann.event(wire.KindJoined)
		ask[wire.Place](bob, wire.Join{Room: "kitchen"})
		joined := ann.event(wire.KindJoined)
		bob.event(wire.KindJoined)
		if place.Log != "kitchen" || place.Epoch == "" || joined.Account != "bob" || joined.Seq <= place.Head {
			t.Errorf("got place %+v, then %+v", place, joined)
		}
		said := ask[wire.Said](ann, wire.Say{Log: "kitchen", Counter: 1, Text: "hello"})
		for _, c := range []*client{ann, bob} {
			ev := c.event(wire.KindSaid)
			want := wire.Event{
				Log: "kitchen", Seq: said.Seq, Time: said.Time, Kind: wire.KindSaid, Account: "ann",
				Device: ann.device, Counter: 1, Text: "hello",
			}
			if ev != want {
				t.Errorf("%s got %+v, want %+v", c.name, ev, want)
			}
		}
		ann.refused(wire.CodeReused, wire.Say{Log: "kitchen", Counter: 1, Text: "something else"})
		again := ask[wire.Said](ann, wire.Say{Log: "kitchen", Counter: 1, Text: "hello"})
		if again != said {
			t.Errorf("the same counter again: got %+v, want %+v", again, said)
		}
		if rest := bob.take(); len(rest) != 0 {
			t.Errorf("bob got %+v as well", rest)
		}
		page := ask[wire.Page](bob, wire.History{Log: "kitchen", N: 10})
		if n := len(page.Events); n != 3 || page.More || page.Events[n-1].Text != "hello" || page.Epoch != place.Epoch {
			t.Errorf("history is %+v", page)
		}
		ask[wire.Done](bob, wire.Leave{Log: "kitchen"})
		bob.event(wire.KindLeft)
		if left := ann.event(wire.KindLeft); left.Account != "bob" || left.Reason != wire.ReasonLeft {
			t.Errorf("got %+v", left)
		}
	})
}

// A topic is told to members, and to whoever comes later; rooms are listed with it, in pieces.
func TestRoomsAndTopics(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		ann, bob := w.register("ann"), w.register("bob")
		for _, room := range []string{"a", "b", "c"} {
			ask[wire.Place](ann, wire.Join{Room: room})
		}
		ask[wire.Done](ann, wire.Topic{Log: "b", Text: "bees"})
		if ev := ann.event(wire.KindTopic); ev.Log != "b" || ev.Text != "bees" || ev.Account != "ann" {
			t.Errorf("got %+v", ev)
		}
		ann.refused(wire.CodeBadField, wire.Topic{Log: "b", Text: "two\nlines"})
		first := ask[wire.RoomList](bob, wire.Rooms{N: 2})
		rest := ask[wire.RoomList](bob, wire.Rooms{N: 2, After: "b"})
		if len(first.Rooms) != 2 || !first.More || first.Rooms[1].Topic != "bees" || first.Rooms[1].Here != 1 ||
			len(rest.Rooms) != 1 || rest.More || rest.Rooms[0].Room != "c" {
			t.Errorf("got %+v, then %+v", first, rest)
		}
		if place := ask[wire.Place](bob, wire.Join{Room: "b"}); place.Topic != "bees" {
			t.Errorf("got %+v", place)
		}
	})
}

// Long topics make short answers: no list is more than a client with a small outbox can be sent.
func TestListsOfLongTopicsComeInParts(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		ann := w.register("ann")
		const rooms = 60
		for i := range rooms {
			room := fmt.Sprintf("room %02d", i)
			ask[wire.Place](ann, wire.Join{Room: room})
			ask[wire.Done](ann, wire.Topic{Log: room, Text: strings.Repeat("x", wire.TopicBytesMax)})
			ann.take()
		}
		listed, last := 0, ""
		for more := true; more; listed++ {
			list := ask[wire.RoomList](ann, wire.Rooms{After: last, N: 200})
			if n := len(wire.AppendReply(nil, wire.Head{}, list)); n > pageBytes+wire.TopicBytesMax {
				t.Fatalf("%d bytes", n)
			}
			last, more = list.Rooms[len(list.Rooms)-1].Room, list.More
		}
		if listed != 3 || last != "room 59" {
			t.Errorf("rooms came in %d parts up to %s", listed, last)
		}
		listed, last = 0, ""
		for more := true; more; listed++ {
			list := ask[wire.ConversationList](ann, wire.Conversations{After: last})
			if n := len(wire.AppendReply(nil, wire.Head{}, list)); n > pageBytes+wire.TopicBytesMax {
				t.Fatalf("%d bytes", n)
			}
			last, more = list.Conversations[len(list.Conversations)-1].Log, list.More
		}
		if listed != 3 || last != "room 59" {
			t.Errorf("conversations came in %d parts up to %s", listed, last)
		}
	})
}

// A read marker is told to the account's other devices, which find it when they come, too.
func TestReadMarkersAreShared(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		ann := w.register("ann")
		phone := w.begin("phone")
		in := ask[wire.LoggedIn](phone, wire.LogIn{Name: "ann", Password: "secret-ann"})
		ask[wire.Place](phone, wire.Attach{Log: in.Own})
		place := ask[wire.Place](ann, wire.Join{Room: "a"})
		said := ask[wire.Said](ann, wire.Say{Log: "a", Counter: 1, Text: "x"})
		ask[wire.Done](ann, wire.Mark{Log: "a", Seq: said.Seq})
		if ev := phone.event(wire.KindMarked); ev.About != "a" || ev.Number != said.Seq || ev.Log != in.Own {
			t.Errorf("got %+v", ev)
		}
		if again := ask[wire.Place](phone, wire.Attach{Log: "a"}); again.Mark != said.Seq {
			t.Errorf("got %+v", again)
		}
		list := ask[wire.ConversationList](phone, wire.Conversations{}).Conversations
		if len(list) != 2 || list[0].Log != in.Own || list[1].Log != "a" || list[1].Mark != said.Seq ||
			list[1].Head < said.Seq || list[1].Epoch != place.Epoch {
			t.Errorf("got %+v", list)
		}
	})
}

// However many conversations somebody has: all of them are listed, so that nothing said in them is missed.
func TestConversationsAreListedToTheLast(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		ann := w.register("ann")
		ask[wire.Place](ann, wire.Join{Room: "kitchen"})
		ask[wire.Done](ann, wire.Topic{Log: "kitchen", Text: "food"})
		secret, err := passwd.Clear("secret")
		if err != nil {
			t.Fatal(err)
		}
		const peers = 2 * pageBytes / conversationBytes / 3 // More than one answer has, for sure.
		for i := range peers {
			name := fmt.Sprintf("peer%d", i)
			if _, err := w.accounts.Register(t.Context(), account.Attempt{}, name, secret); err != nil {
				t.Fatal(err)
			}
			ask[wire.Said](ann, wire.Say{Log: "dm/ann/" + name, Counter: uint64(i + 1), Text: "hi"})
			ann.take()
		}
		listed := make(map[string]bool)
		after := ""
		for more := true; more; {
			list := ask[wire.ConversationList](ann, wire.Conversations{After: after})
			if more = list.More; len(list.Conversations) == 0 {
				t.Fatal("an empty list")
			}
			for i, c := range list.Conversations {
				if after == "" && (i == 0) != (c.Peer == "" && c.Log != "kitchen") {
					t.Errorf("at place %d: %+v", i, c)
				}
				if listed[c.Log] || c.Log == "kitchen" && c.Topic != "food" {
					t.Errorf("listed: %+v", c)
				}
				listed[c.Log] = true
			}
			after = list.Conversations[len(list.Conversations)-1].Log
		}
		if len(listed) != peers+2 {
			t.Errorf("%d are listed, want %d", len(listed), peers+2)
		}
	})
}

// Somebody types: the others in the room see it, the typist does not.
func TestTypingIsShownToOthers(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		ann, bob := w.register("ann"), w.register("bob")
		for _, c := range []*client{ann, bob} {
			ask[wire.Place](c, wire.Join{Room: "a"})
		}
		time.Sleep(time.Second)
		ann.take()
		ask[wire.Done](ann, wire.Typing{Log: "a", On: true})
		if got := push[wire.Typing](bob, nil); got != (wire.Typing{Log: "a", On: true, Account: "ann"}) {
			t.Errorf("got %+v", got)
		}
		if got := ann.take(); len(got) != 0 {
			t.Errorf("the typist got %+v", got)
		}
	})
}

// A client sends all it has without waiting: it comes into the log in that order, and everything is acknowledged.
func TestPipelinedMessagesKeepTheirOrder(t *testing.T) {
	inWorld(t, setUp{engine: slowly(3 * time.Millisecond)}, func(w *world) {
		ann := w.register("ann")
		for _, room := range []string{"a", "b"} {
			ask[wire.Place](ann, wire.Join{Room: room})
		}
		const n = 400
		ids := make([]uint64, n)
		start := time.Now()
		for i := range n {
			ids[i] = ann.send(wire.Say{Log: []string{"a", "b"}[i%2], Counter: uint64(i + 1), Text: fmt.Sprint(i)})
		}
		last := map[int]uint64{}
		for i, id := range ids {
			said, ok := ann.answer(id).(wire.Said)
			if !ok || said.Seq <= last[i%2] {
				t.Fatalf("message %d: %+v, after number %d", i, said, last[i%2])
			}
			last[i%2] = said.Seq
		}
		// Each room takes its messages one by one, and both at the same time.
		if took := time.Since(start); took > n/2*3*time.Millisecond+100*time.Millisecond {
			t.Errorf("took %v: rooms have waited for each other", took)
		}
	})
}

// What the store cannot take now holds up what comes behind it in that log, until it is said again.
func TestUnstoredMessageIsNotOvertaken(t *testing.T) {
	full := new(fullEngine)
	inWorld(t, setUp{engine: full.around}, func(w *world) {
		ann := w.register("ann")
		for _, room := range []string{"a", "b"} {
			ask[wire.Place](ann, wire.Join{Room: room})
		}
		full.set(true)
		first := ann.send(wire.Say{Log: "a", Counter: 1, Text: "1"})
		second := ann.send(wire.Say{Log: "a", Counter: 2, Text: "2"})
		for _, id := range []uint64{first, second} {
			if e, ok := ann.answer(id).(wire.Error); !ok || e.Code != wire.CodeUnavailable || e.RetryAfter == 0 {
				t.Errorf("got %+v, want unavailable and when to try again", e)
			}
		}
		full.set(false)
		ann.refused(wire.CodeUnavailable, wire.Say{Log: "a", Counter: 3, Text: "3"})
		ask[wire.Said](ann, wire.Say{Log: "b", Counter: 4, Text: "elsewhere"})
		var last uint64
		for i := range uint64(3) {
			said := ask[wire.Said](ann, wire.Say{Log: "a", Counter: i + 1, Text: fmt.Sprint(i + 1)})
			if said.Seq <= last {
				t.Errorf("message %d has number %d after %d", i+1, said.Seq, last)
			}
			last = said.Seq
		}
		full.set(true)
		ann.refused(wire.CodeUnavailable, wire.Say{Log: "a", Counter: 10, Text: "given up"})
		full.set(false)
		ann.refused(wire.CodeUnavailable, wire.Say{Log: "a", Counter: 11, Text: "later"})
		time.Sleep(orderTimeout)
		ask[wire.Said](ann, wire.Say{Log: "a", Counter: 11, Text: "later"})
	})
}

// When the server goes down, what is under way is completed and acknowledged, and everybody is told when to come back.
func TestShutdownCompletesWhatIsUnderWay(t *testing.T) {
	inWorld(t, setUp{engine: slowly(time.Second), front: func(c *Config) { c.ComeBackTo = "192.0.2.1:4000" }}, func(w *world) {
		ann, idle := w.register("ann"), w.begin("idle")
		ask[wire.Place](ann, wire.Join{Room: "kitchen"})
		id := ann.send(wire.Say{Log: "kitchen", Counter: 1, Text: "last words"})
		synctest.Wait()
		w.stop()
		for _, c := range []*client{ann, idle} {
			if d := push[wire.Drain](c, nil); d.After != wire.For(comeBackAfter) || d.Address != "192.0.2.1:4000" {
				t.Errorf("%s: got %+v", c.name, d)
			}
		}
		if said, ok := ann.answer(id).(wire.Said); !ok || said.Seq == 0 {
			t.Errorf("got %+v", said)
		}
		w.end(ann)
	})
}

// A store that hangs does not hold up the shutdown, nor a request for ever.
func TestHangingStoreIsGivenUp(t *testing.T) {
	inWorld(t, setUp{engine: slowly(time.Hour)}, func(w *world) {
		ann := w.register("ann")
		start := time.Now()
		if e := ask[wire.Error](ann, wire.Join{Room: "kitchen"}); e.Code != wire.CodeUnavailable || time.Since(start) != requestTimeout {
			t.Errorf("got %+v after %v", e, time.Since(start))
		}
		ann.send(wire.Join{Room: "kitchen"})
		synctest.Wait()
		start = time.Now()
		w.stop()
		w.end(ann)
		if took := time.Since(start); took > 2*drainGrace {
			t.Errorf("shutdown took %v", took)
		}
	})
}

// The four times of Ping are of both clocks.
func TestPingHasTheServersTimes(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		c := w.begin("c")
		pong := ask[wire.Pong](c, wire.Ping{Sent: 42})
		if now := wire.At(time.Now()); pong.Sent != 42 || pong.Received != now || pong.Answered != now {
			t.Errorf("got %+v, want 42 and twice %d", pong, now)
		}
	})
}

// A visitor is a person from a protocol without accounts.
type visitor struct {
	mu    sync.Mutex
	heard []string
}

func (v *visitor) Receive(*chat.Event) {}

func (v *visitor) Hear(w *chat.Whisper) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.heard = append(v.heard, w.From+": "+w.Text)
	w.Done(nil)
}

// Visitors are whispered to and whisper themselves; they are seen in rooms, with a number and without an account.
func TestVisitorsAreReached(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		ann := w.register("ann")
		ask[wire.Place](ann, wire.Join{Room: "kitchen"})
		v := new(visitor)
		user, err := w.hub.Enter("walt", v, chat.SmallIDs, chat.SharedName)
		if err != nil {
			t.Fatal(err)
		}
		defer user.Close(t.Context(), chat.ReasonLeft)
		ask[wire.Done](ann, wire.Whisper{Name: "walt", Text: "psst"})
		if want := []string{"ann: psst"}; !slices.Equal(v.heard, want) {
			t.Errorf("walt heard %q, want %q", v.heard, want)
		}
		if _, err := user.Whisper("ann", "what\xff?"); err != nil {
			t.Fatal(err)
		}
		if got := push[wire.Whisper](ann, nil); got != (wire.Whisper{Name: "walt", Text: "what\uFFFD?"}) {
			t.Errorf("ann heard %+v", got)
		}
		ref, err := user.Join(t.Context(), "kitchen")
		if err != nil {
			t.Fatal(err)
		}
		if ev := push(ann, func(e wire.Event) bool { return e.Visitor != 0 }); ev.Kind != wire.KindJoined || ev.Account != "" || ev.Show != "walt" {
			t.Errorf("got %+v", ev)
		}
		if err := user.Say(t.Context(), ref, "", "hi"); err != nil {
			t.Fatal(err)
		}
		if ev := ann.event(wire.KindSaid); ev.Text != "hi" || ev.Show != "walt" || ev.Account != "" || ev.Visitor == 0 {
			t.Errorf("got %+v", ev)
		}
		people := ask[wire.People](ann, wire.Who{Log: "kitchen"}).People
		if !slices.ContainsFunc(people, func(p wire.Person) bool { return p.Show == "walt" && p.Visitor != 0 && p.Account == "" }) {
			t.Errorf("in the kitchen: %+v", people)
		}
	})
}

// Two servers on one store: a conversation, an introduction and a revoked token cross from one to the other.
func TestTwoServers(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		far := w.second()
		defer far.close()
		ann, bob := w.register("ann"), far.register("bob")
		for _, c := range []*client{ann, bob} {
			ask[wire.Place](c, wire.Join{Room: "a"})
		}
		said := ask[wire.Said](ann, wire.Say{Log: "a", Counter: 1, Text: "over there"})
		if ev := bob.event(wire.KindSaid); ev.Seq != said.Seq || ev.Text != "over there" {
			t.Errorf("got %+v", ev)
		}
		time.Sleep(20 * time.Second) // Servers tell each other who is there.
		ask[wire.Done](ann, wire.Private{Peer: "bob", Call: []byte{1}, Step: wire.StepRequest})
		if got := push[wire.Private](bob, nil); got.Peer != "ann" || got.Device != ann.device {
			t.Errorf("got %+v", got)
		}
		phone := far.begin("phone")
		in := ask[wire.LoggedIn](phone, wire.LogIn{Name: "ann", Password: "secret-ann"})
		ask[wire.Done](ann, wire.Revoke{Device: in.Device})
		if err := far.end(phone); !errors.Is(err, ErrRevoked) {
			t.Errorf("revoked elsewhere: ended with %v", err)
		}
	})
}
