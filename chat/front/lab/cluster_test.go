package lab

import (
	"fmt"
	"strings"
	"testing"

	"udpchat/chat/front/internal/stage"
)

// Two servers give their first client the same JOIN_ID. What the one does on its server is no answer to the other.
func TestClientsOfTwoServersWithTheSameNumber(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		w2 := w.Beside(castOf(Config{}), nil)
		join := func(w *stage.World, name string) *stage.Conn {
			c := w.Open(name, "lab", "tcp")
			c.Send(fmt.Sprintf("JOIN_CHATROOM: room1\nCLIENT_IP: 0\nPORT: 0\nCLIENT_NAME: %s\n", name))
			if got := w.Got(c); !strings.Contains(got, "\nJOIN_ID: 1\n") {
				t.Errorf("%s got %q", name, got)
			}
			return c
		}
		ann := join(w.World, "ann")
		bob := join(w2, "bob")
		if got := w.Got(ann); got != "CHAT: 1\nCLIENT_NAME: bob\nMESSAGE: bob has joined this chatroom.\n\n" {
			t.Errorf("when bob comes ann got %q", got)
		}
		bob.Send("LEAVE_CHATROOM: 1\nJOIN_ID: 1\nCLIENT_NAME: bob\n")
		if got := w2.Got(bob); !strings.HasPrefix(got, "LEFT_CHATROOM: 1\nJOIN_ID: 1\n") {
			t.Errorf("when bob leaves he got %q", got)
		}
		if got := w.Got(ann); strings.Contains(got, "LEFT_CHATROOM") || strings.Count(got, "\n\n") != 1 {
			t.Errorf("when bob leaves ann got %q", got)
		}
	})
}
