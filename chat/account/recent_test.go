package account

import "testing"

func TestRecentForgetsWhatIsLongestUnusedButNotWhatIsInUse(t *testing.T) {
	r := newRecent[int, int](3)
	busy := func(v *int) bool { return *v < 0 }
	for key := range 3 {
		*r.use(key, busy) = key
	}
	*r.use(1, busy) = -1
	r.use(0, busy)
	for key := range 100 {
		*r.use(key+10, busy) = 7
		if len(r.byKey) > 3 || r.order.Len() != len(r.byKey) {
			t.Fatalf("remembers %d", len(r.byKey))
		}
	}
	if v := r.peek(1); v == nil || *v != -1 {
		t.Error("what was in use was forgotten")
	}
	if r.peek(0) != nil || r.peek(109) == nil {
		t.Error("the wrong ones were forgotten")
	}
}
