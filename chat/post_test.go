package chat

import (
	"reflect"
	"testing"
)

func testPostMessages() []postMessage {
	return []postMessage{
		{kind: postLetter, from: 1, of: 2, n: 300, prev: 299, base: 7, whisperTo: whisperTo{to: "bob", from: "ann", text: "hi"}},
		{kind: postLetter, from: 1<<64 - 1, of: 2, n: 1, whisperTo: whisperTo{to: "bob", from: "ann", account: true}},
		{kind: postLetter, from: 1, of: 2, n: 1, whisperTo: whisperTo{to: "lobby", text: "00ff-3", ask: true}},
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
