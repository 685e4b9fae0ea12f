package client

import (
	"slices"
	"testing"
	"time"

	"udpchat/chat/wire/native"
)

func TestDirectConversationsAreFollowedWithoutAsking(t *testing.T) {
	inWorld(t, 0, func(w *world) {
		before := []string{"bob", "cat", "dan", "fay", "gus"} // More than the server lists at once.
		for _, peer := range before {
			w.server.set(func() { w.server.logs["dm/ann/"+peer] = &storedLog{epoch: "e", peers: []string{"ann", peer}} })
			w.server.happen(native.Event{Log: "dm/ann/" + peer, Kind: native.KindSaid, Account: peer, Text: "while you were away"})
		}
		c := w.dial(Config{})
		k := collect(c)
		time.Sleep(time.Second)
		w.server.set(func() { w.server.logs["dm/ann/eve"] = &storedLog{epoch: "e", peers: []string{"ann", "eve"}} })
		w.server.happen(native.Event{Log: "dm/ann/eve", Kind: native.KindSaid, Account: "eve", Text: "hello"})
		w.server.happen(native.Event{Log: "ac/ann", Kind: native.KindConversation, Peer: "eve", About: "dm/ann/eve"})
		time.Sleep(time.Second)
		for _, peer := range before {
			if got := k.said(t, "dm/ann/"+peer); !slices.Equal(got, []string{"while you were away"}) {
				w.Errorf("%s: heard %q", peer, got)
			}
		}
		if got := k.said(t, "dm/ann/eve"); !slices.Equal(got, []string{"hello"}) {
			w.Errorf("eve: heard %q", got)
		}
		if all, err := c.Conversations(w.Context()); err != nil || len(all) != len(before)+1 {
			w.Errorf("conversations: %+v, %v", all, err)
		}
		for _, s := range of[Said](k) {
			if "dm/ann/"+s.Peer != s.Log {
				w.Errorf("%s has the peer %q", s.Log, s.Peer)
			}
		}
		c.Close()
		k.task.Wait()
	})
}

// Whoever was away gets all that was said to them alone, however much that is, and nothing of it is skipped as too old.
func TestDirectMessagesWaitForWhoWasAwayHoweverMany(t *testing.T) {
	inWorld(t, 0, func(w *world) {
		say := func(peer string, texts []string) {
			w.server.set(func() { w.server.log("dm/ann/" + peer).peers = []string{"ann", peer} })
			for _, text := range texts {
				w.server.happen(native.Event{Log: "dm/ann/" + peer, Kind: native.KindSaid, Account: peer, Text: text})
			}
		}
		all := numbered(1, 3*pageEvents)
		say("bob", all)
		say("cat", all)
		w.server.set(func() { w.server.log("dm/ann/cat").mark = 7 })
		c := w.dial(Config{})
		k := collect(c)
		time.Sleep(5 * time.Second)
		if got := k.said(t, "dm/ann/bob"); !slices.Equal(got, all) {
			w.Errorf("bob, never read: heard %d of %d", len(got), len(all))
		}
		if got := k.said(t, "dm/ann/cat"); !slices.Equal(got, all[7:]) {
			w.Errorf("cat, read up to 7: heard %d of %d", len(got), len(all)-7)
		}
		// One that begins while we are there, and has grown long before we have looked.
		say("eve", all)
		w.server.happen(native.Event{Log: "ac/ann", Kind: native.KindConversation, Peer: "eve", About: "dm/ann/eve"})
		time.Sleep(5 * time.Second)
		if got := k.said(t, "dm/ann/eve"); !slices.Equal(got, all) {
			w.Errorf("eve, just begun: heard %d of %d", len(got), len(all))
		}
		for _, s := range of[Said](k) {
			if past := s.Peer != "eve"; s.Past != past || past == (s.Took > 0) {
				w.Errorf("%s, %q: past %v, took %v", s.Peer, s.Text, s.Past, s.Took)
				break
			}
		}
		c.Close()
		k.task.Wait()
	})
}
