package chat

import (
	"reflect"
	"testing"
	"time"
)

func testPostMessages() []postMessage {
	return []postMessage{
		{kind: postLetter, from: 1, of: 2, n: 300, prev: 299, base: 7, whisperTo: whisperTo{to: "bob", from: "ann", text: "hi"}},
		{kind: postLetter, from: 1<<64 - 1, of: 2, n: 1, whisperTo: whisperTo{to: "bob", from: "ann", account: true}},
		{kind: postLetter, from: 3, of: 2, n: 2, prev: 1, base: 1, whisperTo: whisperTo{to: "bob", from: "ann", text: "im {}", account: true, note: true}},
		{kind: postLetter, from: 1, of: 2, n: 1, whisperTo: whisperTo{to: "lobby", text: "00ff-3", ask: true, seq: 7}},
		{kind: postLetter, from: 1, of: 2, base: 3},
		{kind: postAnswers, from: 1, of: 2, last: 9, answers: map[uint64]outcome{8: outcomeTaken, 9: outcomeNobody}},
		{kind: postAnswers, from: 1, of: 2, answers: map[uint64]outcome{}},
	}
}

func TestPostMessageRoundTrip(t *testing.T) {
	for _, want := range testPostMessages() {
		if got, ok := decodePostMessage(want.encode()); !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v came back as %+v, %v", want, got, ok)
		}
	}
}

// FuzzDecodePostMessage checks that whatever is accepted says the same once it is written anew.
func FuzzDecodePostMessage(f *testing.F) {
	for _, m := range testPostMessages() {
		f.Add(m.encode())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, ok := decodePostMessage(b)
		if !ok {
			return
		}
		if again, ok := decodePostMessage(m.encode()); !ok || !reflect.DeepEqual(again, m) {
			t.Fatalf("%+v is written so that it reads %+v, %v", m, again, ok)
		}
	})
}

// Nodes come and go for years: those that are silent for long must not take the places of others.
func TestPostForgetsNodesThatAreSilent(t *testing.T) {
	h, err := New(Config{Engine: noEngine{}})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	letter := func(from nodeID, n uint64, now time.Time) int {
		return len(h.post.accept(postMessage{kind: postLetter, from: from, n: n}, now))
	}
	letter(2*nodesMax, 5, now.Add(-2*postMemory))
	if letter(1, 1, now); len(h.post.in) != 1 {
		t.Errorf("%d nodes are remembered, want 1", len(h.post.in))
	}
	for from := range nodeID(nodesMax) {
		if letter(from+1, 5, now) != 1 {
			t.Fatalf("the letter of node %d is not taken", from+1)
		}
	}
	if letter(nodesMax+1, 5, now.Add(postMemory)) != 0 {
		t.Error("a letter of one node too many is taken")
	}
	if letter(1, 5, now.Add(postMemory)) != 0 {
		t.Error("a letter is taken twice")
	}
	if letter(nodesMax+1, 5, now.Add(postMemory+time.Second)) != 1 || len(h.post.in) != 2 {
		t.Errorf("%d nodes are remembered, want 2", len(h.post.in))
	}
}

// One letter to which there is no answer must not have those to all that follow kept.
func TestPostKeepsSoManyAnswers(t *testing.T) {
	h, err := New(Config{Engine: noEngine{}})
	if err != nil {
		t.Fatal(err)
	}
	const n = 3 * answersMax
	for i := uint64(2); i < n; i++ { // As if somebody had the first one, and kept silent.
		for _, m := range h.post.accept(postMessage{kind: postLetter, from: 1, n: i, base: 1}, time.Now()) {
			h.post.open(m)
		}
	}
	in := h.post.in[1]
	if _, ok := in.answers[n-1]; !ok || len(in.answers) > answersMax || len(in.answers) < lettersMax {
		t.Errorf("%d answers are kept, with the last one: %t", len(in.answers), ok)
	}
	h.post.accept(postMessage{kind: postLetter, from: 1, n: n, base: n}, time.Now())
	if len(in.answers) != 0 {
		t.Errorf("%d answers are kept that nobody waits for", len(in.answers))
	}
}
