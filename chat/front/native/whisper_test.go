package native

import (
	"errors"
	"testing"
	"time"

	"udpchat/chat"
	wire "udpchat/chat/wire/native"
)

// A slowVisitor takes a whisper when the test says so, or refuses it.
type slowVisitor chan *chat.Whisper

func (v slowVisitor) Receive(*chat.Event)  {}
func (v slowVisitor) Hear(w *chat.Whisper) { v <- w }

// A visitor that does not say whether it heard kept the client waiting for so long that it took the server to be gone,
// and came back over another connection.
func TestWhisperIsAnsweredInTime(t *testing.T) {
	inWorld(t, setUp{}, func(w *world) {
		ann := w.register("ann")
		v := make(slowVisitor, 10)
		user, err := w.hub.Enter("walt", v, chat.SmallIDs, chat.SoleName)
		if err != nil {
			t.Fatal(err)
		}
		defer user.Close(t.Context(), chat.ReasonLeft)
		begin := time.Now()
		refused := ask[wire.Error](ann, wire.Whisper{Name: "walt", Text: "are you there?"})
		if refused.Code != wire.CodeNotThere || time.Since(begin) != whisperTimeout {
			t.Errorf("got %v after %v", refused, time.Since(begin))
		}
		go func() { (<-v).Done(nil); (<-v).Done(errors.New("his reasons")) }() // The first is the one above.
		refused = ask[wire.Error](ann, wire.Whisper{Name: "walt", Text: "really?"})
		if refused.Code != wire.CodeNotThere {
			t.Errorf("got %v of one who has refused", refused)
		}
	})
}
