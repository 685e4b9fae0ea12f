package labtest

import (
	"flag"
	"os"
	"testing"
)

// waitingTests is how many tests run at a time, however few processors there are: nearly all they do is wait.
const waitingTests = "16"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", waitingTests); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
