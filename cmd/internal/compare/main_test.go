package compare

import (
	"flag"
	"os"
	"testing"
)

// The runners start this program again. With the race detector a program waits for a second before it ends, for the races
// of goroutines that are still running: for children that have ended all of theirs, in vain.
func TestMain(m *testing.M) {
	os.Setenv("GORACE", "atexit_sleep_ms=0")
	Main()
	if len(os.Args) > 1 && os.Args[1] == LaneCommand {
		ServeVirtual(os.Stdin, os.Stdout)
	}
	flag.Parse()
	if err := flag.Set("test.parallel", "4"); err != nil { // However few processors there are: some tests only wait.
		panic(err)
	}
	os.Exit(m.Run())
}
