package chat

import (
	"reflect"
	"testing"
	"time"
)

func testNodeMessages() []nodeMessage {
	people := []nodePerson{
		{name: "ann", show: "Ann", state: Online, arrived: time.UnixMilli(1_700_000_000_000), blocked: []string{"bob", "cat"}},
		{name: "bob", whispers: true, arrived: time.UnixMilli(0)},
	}
	all := news{
		people: people,
		names:  []nodeName{{"vic", true, SharedName}, {"walt", true, SoleName}, {name: "gone"}},
		seats: []nodeSeat{
			{place{"lobby", "00ff", false}, seat{since: 7, name: "vic", user: 3}, true},
			{place{"lobby", "0101", false}, seat{since: 8, name: "walt", user: 3, answers: true}, true},
			{place{"lobby", "ann", true}, seat{name: "Ann"}, true},
			{place{room: "hall", who: "bob", account: true}, seat{}, false},
		},
	}
	return []nodeMessage{
		{kind: nodeAlive, from: 1, version: 300},
		{kind: nodeAsk, from: 1<<64 - 1, of: 2},
		{kind: nodeState, from: 3, version: 4, news: all},
		{kind: nodeState, from: 3, version: 4, news: news{people: people}},
		{kind: nodeWhole, from: 3, version: 4, part: 1, parts: 2, news: all},
		{kind: nodeWhole, from: 3, version: 0, part: 0, parts: 1},
	}
}

func TestNodeMessageRoundTrip(t *testing.T) {
	for _, want := range testNodeMessages() {
		got, ok := decodeNodeMessage(want.encode())
		if !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v came back as %+v, %v", want, got, ok)
		}
		for n := range want.encode() {
			if short, ok := decodeNodeMessage(want.encode()[:n]); ok && reflect.DeepEqual(short, want) {
				t.Errorf("%+v: the first %d bytes say the same", want, n)
			}
		}
	}
}

// FuzzDecodeNodeMessage checks that whatever is accepted says the same once it is written anew.
func FuzzDecodeNodeMessage(f *testing.F) {
	for _, m := range testNodeMessages() {
		f.Add(m.encode())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, ok := decodeNodeMessage(b)
		if !ok {
			return
		}
		if again, ok := decodeNodeMessage(m.encode()); !ok || !reflect.DeepEqual(again, m) {
			t.Fatalf("%+v is written so that it reads %+v, %v", m, again, ok)
		}
	})
}

// TestManyPeopleMakeManyParts sends everybody from one table to another.
func TestManyPeopleMakeManyParts(t *testing.T) {
	h, err := New(Config{Engine: noEngine{}})
	if err != nil {
		t.Fatal(err)
	}
	other, err := New(Config{Engine: noEngine{}})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	const n = 5000
	name := func(i int) string { return string(rune('a'+i%26)) + time.Duration(i).String() }
	for i := range n {
		h.people.setOwn(name(i), "A name of some length, to make it larger", Online, false, nil, now)
	}
	other.people.hear(9, nodeMessage{kind: nodeAlive, from: 1, version: 0}, now)
	parts := h.people.everything(1)
	if len(parts) < 3 {
		t.Fatalf("%d people make %d parts", n, len(parts))
	}
	for _, part := range parts[1:] { // The first one is lost.
		other.people.hear(9, part, now)
	}
	if got := len(other.people.byName); got != 0 {
		t.Errorf("%d people are believed without the first part", got)
	}
	for _, part := range parts {
		if len(part.encode()) > 2*nodeMessageBytesMax {
			t.Errorf("a part has %d bytes", len(part.encode()))
		}
		other.people.hear(9, part, now)
	}
	if got := len(other.people.byName); got != n {
		t.Errorf("%d people are known, want %d", got, n)
	}
	other.people.expire(now.Add(nodeSilence + time.Second))
	if got := other.people.gone; got != n {
		t.Errorf("%d people are gone with their node, want %d", got, n)
	}
}

// TestPeopleWhoAreGoneAreForgotten: the table must not grow with everybody who was ever there.
func TestPeopleWhoAreGoneAreForgotten(t *testing.T) {
	h, err := New(Config{Engine: noEngine{}})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for i := range 3 * peopleGoneMax {
		name := time.Duration(i).String()
		h.people.setOwn(name, name, Online, false, nil, now)
		h.people.setOwn(name, name, Offline, false, nil, now.Add(time.Duration(i)))
		if len(h.people.byName) > peopleGoneMax+1 || len(h.people.byName) != h.people.gone {
			t.Fatalf("%d people are remembered, %d of them gone", len(h.people.byName), h.people.gone)
		}
		for range 2 {
			h.people.news(1)
		}
	}
	if h.people.byName[time.Duration(3*peopleGoneMax-1).String()] == nil {
		t.Error("the last one is forgotten")
	}
}

type countingReceiver struct{ told int }

func (c *countingReceiver) Receive(*Event) { c.told++ }

// TestWatchingEverybodyKeepsNothingOfEach: what devices remember of each other would grow with the square of their number.
func TestWatchingEverybodyKeepsNothingOfEach(t *testing.T) {
	h, err := New(Config{Engine: noEngine{}})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	var r countingReceiver
	d := &Device{hub: h, account: &account{hub: h, name: "eve"}, watchAll: true, receiver: &r}
	h.people.watch(d, nil)
	const n = 100
	for i := range n {
		name, blocked := time.Duration(i).String(), new(map[string]struct{})
		if i == 0 {
			blocked = &map[string]struct{}{"eve": {}}
		}
		h.people.setOwn(name, name, Online, false, blocked, now)
		h.people.setOwn(name, name, Online, false, blocked, now)
	}
	if r.told != n-1 || len(d.hidden) != 1 {
		t.Errorf("told %d times, and %d are kept; want %d, and the one who has blocked", r.told, len(d.hidden), n-1)
	}
	for i := range n {
		name := time.Duration(i).String()
		h.people.setOwn(name, name, Offline, false, nil, now)
	}
	if r.told != 2*(n-1) || len(d.hidden) != 0 {
		t.Errorf("when all have gone: told %d times, and %d are kept", r.told, len(d.hidden))
	}
}

// twoTables are the tables of people of two nodes. pass has the second one hear what the first one has to say.
func twoTables(t *testing.T) (a, b *people, pass func()) {
	t.Helper()
	var tables [2]*people
	for i := range tables {
		h, err := New(Config{Engine: noEngine{}})
		if err != nil {
			t.Fatal(err)
		}
		tables[i] = &h.people
	}
	a, b = tables[0], tables[1]
	b.hear(2, nodeMessage{kind: nodeWhole, from: 1, parts: 1}, time.Now())
	return a, b, func() {
		for m, ok := a.news(1); ok; m, ok = a.news(1) {
			b.hear(2, m, time.Now())
		}
	}
}

// Who blocks somebody and goes at once has blocked it on all nodes.
func TestBlockOfOneWhoGoesAtOnceReachesOtherNodes(t *testing.T) {
	a, b, pass := twoTables(t)
	now := time.Now()
	bob := &Device{hub: b.hub, account: &account{hub: b.hub, name: "bob"}}
	a.setOwn("ann", "Ann", Online, false, nil, now)
	pass()
	if got := b.since(bob, now.Add(-time.Minute)); len(got) != 1 {
		t.Fatalf("before: bob sees %v", got)
	}
	blocked := map[string]struct{}{"bob": {}}
	a.blockChanged("ann", "bob", &blocked)
	a.setOwn("ann", "", Offline, false, &blocked, now)
	pass()
	if got := b.since(bob, now.Add(-time.Minute)); len(got) != 0 {
		t.Errorf("bob sees %v", got)
	}
	a.setOwn("cat", "Cat", Online, false, nil, now) // Too short to be told of.
	a.setOwn("cat", "", Offline, false, nil, now)
	pass()
	if b.byName["cat"] != nil {
		t.Error("somebody of whom nothing is known is remembered")
	}
}

// What a node knows of an account itself does not become older by what another one has not heard yet.
func TestBlockIsNotUndoneByANodeThatHasNotHeardOfIt(t *testing.T) {
	a, b, pass := twoTables(t)
	now := time.Now()
	var r countingReceiver
	bob := &Device{hub: b.hub, account: &account{hub: b.hub, name: "bob"}, receiver: &r, watchAll: true}
	b.setOwn("ann", "Ann", Online, false, &map[string]struct{}{"bob": {}}, now)
	b.watch(bob, nil)
	a.setOwn("ann", "Ann", Online, false, nil, now)
	pass()
	if got := b.online(bob, nil); len(got) != 0 || r.told != 0 {
		t.Errorf("bob sees %v, and was told of it %d times", got, r.told)
	}
	a.setOwn("ann", "", Offline, false, nil, now)
	pass()
	if got := b.online(bob, nil); len(got) != 0 || r.told != 0 {
		t.Errorf("later bob sees %v, and was told of it %d times", got, r.told)
	}
}
