package chat_test

import (
	"fmt"
	"runtime"
	"testing"

	"udpchat/chat"
	"udpchat/chat/store/memory"
)

// Anybody can make rooms by going in and out, and they stay until another needs the place. What stays of one must be small.
func TestRoomsThatSomebodyWentThroughStaySmall(t *testing.T) {
	const (
		rooms        = 10_000
		roomBytesMax = 1200 // As limits.go says, with some room for other versions of Go. It was 1,416.
	)
	engine := memory.New(memory.Config{})
	defer engine.Close()
	hub, err := chat.New(chat.Config{Engine: engine, RoomsMax: rooms})
	if err != nil {
		t.Fatal(err)
	}
	defer hub.Close()
	u, err := hub.Connect("ann", nobody{}, chat.SmallIDs)
	if err != nil {
		t.Fatal(err)
	}
	before := heapBytes()
	for i := range rooms {
		ref, err := u.Join(t.Context(), fmt.Sprintf("room-%d", i))
		if err != nil {
			t.Fatal(err)
		}
		if err := u.Leave(t.Context(), ref); err != nil {
			t.Fatal(err)
		}
	}
	if got := (heapBytes() - before) / rooms; got > roomBytesMax {
		t.Errorf("an empty room takes %d bytes, the most should be %d", got, roomBytesMax)
	} else {
		t.Logf("an empty room takes %d bytes", got)
	}
	runtime.KeepAlive(hub)
}

func heapBytes() int64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}
