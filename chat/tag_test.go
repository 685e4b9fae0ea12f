package chat_test

import (
	"strings"
	"testing"

	"udpchat/chat"
)

// TestTagStaysWithItsMessage: live, in history, with a text and with a file.
func TestTagStaysWithItsMessage(t *testing.T) {
	w := newWorld(t, chat.Config{})
	ann, tab := w.login("ann", "phone"), w.login("ann", "tab")
	ann.enter("kitchen")
	tab.attach("kitchen")
	sum, size, err := w.engine.PutBlob(t.Context(), strings.NewReader("picture"))
	if err != nil {
		t.Fatal(err)
	}
	file := &chat.File{SHA256: sum, Size: size, Name: "a.png"}
	for i, c := range []chat.Content{{Text: "hi", Tag: "first tag"}, {File: file, Tag: strings.Repeat("~", 127)}, {Text: "none"}} {
		if _, err := ann.Say(t.Context(), "kitchen", uint64(i+1), c); err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
	}
	for name, evs := range map[string][]*chat.Event{"live": tab.told(), "history": tab.history("kitchen", chat.Page{})} {
		var tags []string
		for _, ev := range evs {
			if ev.Kind == chat.KindSaid || ev.Kind == chat.KindFile {
				tags = append(tags, ev.Tag)
			}
		}
		wantLines(t, name, tags, "first tag", strings.Repeat("~", 127), "")
	}
	for _, tag := range []string{strings.Repeat("x", 128), "a\nb", "é", "\x7f"} {
		_, err := ann.Say(t.Context(), "kitchen", 9, chat.Content{Text: "hi", Tag: tag})
		wantCode(t, tag, err, chat.CodeBadContent)
	}
}
