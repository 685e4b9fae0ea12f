package lab

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails on leaked goroutines. kcp-go's package-level scheduler, which nothing uses, runs from the start.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.IgnoreCurrent()) }
