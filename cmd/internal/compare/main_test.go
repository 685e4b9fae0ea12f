package compare

import (
	"os"
	"testing"
)

// The runners start this program again.
func TestMain(m *testing.M) {
	Main()
	if len(os.Args) > 1 && os.Args[1] == LaneCommand {
		ServeVirtual(os.Stdin, os.Stdout)
	}
	os.Exit(m.Run())
}
