package chat_test

import (
	"fmt"
	"strings"
	"testing"

	"udpchat/chat"
)

func TestTopicIsToldAndKept(t *testing.T) {
	w := newWorld(t, chat.Config{})
	ann, vic := w.login("ann", "phone"), w.connect("vic")
	ann.enter("kitchen")
	vic.join("kitchen")
	w.happened()
	for _, topic := range []string{"food", "", "tea"} {
		if err := ann.Topic(t.Context(), "kitchen", topic); err != nil {
			t.Errorf("Topic(%q): %v", topic, err)
		}
	}
	w.want("all are told", `
		vic < kitchen: ann topic
		ann.phone < kitchen: ann topic food
		vic < kitchen: ann topic
		ann.phone < kitchen: ann topic
		vic < kitchen: ann topic
		ann.phone < kitchen: ann topic tea`)
	for text, code := range map[string]chat.Code{strings.Repeat("x", 1025): chat.CodeTooLong, "a\nb": chat.CodeBadContent, "\xff": chat.CodeBadContent} {
		wantCode(t, fmt.Sprintf("Topic(%.5q)", text), ann.Topic(t.Context(), "kitchen", text), code)
	}
	bob := w.login("bob", "phone")
	wantCode(t, "Topic of a stranger", bob.Topic(t.Context(), "kitchen", "x"), chat.CodeNotMember)
	w.restart()
	if place := w.login("bob", "phone").enter("kitchen"); place.Topic != "tea" {
		t.Errorf("after a restart the topic is %q", place.Topic)
	}
}

func TestListOfRooms(t *testing.T) {
	w := newWorld(t, chat.Config{})
	ann, vic := w.login("ann", "phone"), w.connect("vic")
	for _, room := range []string{"d", "b", "a"} {
		ann.enter(room)
	}
	lab := vic.join("c")
	vic.join("a")
	if err := ann.Topic(t.Context(), "b", "bees"); err != nil {
		t.Fatal(err)
	}
	ann.text("dm/ann/bob", "hi")
	list := func(after string, n int) string {
		var b strings.Builder
		for _, r := range must(w.hub.List(t.Context(), after, n))(t) {
			fmt.Fprintf(&b, "%s:%d:%s:%v ", r.Name, r.Here, r.Topic, r.Made.IsZero())
		}
		return strings.TrimSpace(b.String())
	}
	for _, c := range []struct {
		after string
		n     int
		want  string
	}{
		{"", 0, "a:2::false b:1:bees:false c:1::true d:1::false"}, {"", 2, "a:2::false b:1:bees:false"},
		{"b", 1, "c:1::true"}, {"c", 9, "d:1::false"}, {"d", 9, ""},
	} {
		if got := list(c.after, c.n); got != c.want {
			t.Errorf("List(%q, %d): %s, want %s", c.after, c.n, got, c.want)
		}
	}
	vic.leave(lab)
	ann.close()
	if got, want := list("", 0), "a:1::false b:0:bees:false d:0::false"; got != want {
		t.Errorf("List: %s, want %s", got, want)
	}
}
