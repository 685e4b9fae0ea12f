package compare

import (
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	Main() // The wire lane starts this program again.
	os.Exit(m.Run())
}

// newWireRunner skips the test where there is no wire lane.
func newWireRunner(t *testing.T) *WireRunner {
	t.Helper()
	r, err := NewWireRunner(t.Context())
	if err != nil {
		t.Skipf("no wire lane here: %v", err)
	}
	return r
}
