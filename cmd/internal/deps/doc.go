// Package deps is a test only: it checks who may import whom, with the reason for every rule.
//
// rules_test.go is the table; what is not listed there is forbidden, and a package that is not listed fails. The golden
// file testdata/deps.golden lists every package of others in the binary, so that a new dependency is a visible line:
//
//	go test ./cmd/internal/deps -update
//
// It does not look at what an allowed library imports in turn, only at what we import ourselves.
package deps
