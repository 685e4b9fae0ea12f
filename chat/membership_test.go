package chat

import "testing"

// noEngine is for hubs in which nothing happens.
type noEngine struct{ Engine }

// TestAdmitAfterClose: the room found the user a moment before Close was done with it.
func TestAdmitAfterClose(t *testing.T) {
	h, err := New(Config{Engine: noEngine{}})
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	u, err := h.Connect("ann", nil, SmallIDs)
	if err != nil {
		t.Fatalf("Connect: %v", err)
	}
	if err := u.Close(t.Context(), ReasonLost); err != nil {
		t.Fatalf("Close: %v", err)
	}
	if u.admit(&room{hub: h, ref: 1}) || len(u.rooms) > 0 {
		t.Error("a closed user became a member")
	}
}
