package compare

import (
	"os"
	"testing"
)

// The runner of virtual time starts this program again.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == LaneCommand {
		ServeVirtual(os.Stdin, os.Stdout)
	}
	os.Exit(m.Run())
}
