// Command udpchat is a chat server and client for networks that lose packets.
//
// Every subcommand lives in a file of its own; wire.go is the parts list that turns a configuration into a running
// server. This is the one place that knows every other package.
//
// Exit codes stand in exits.go. Errors go to stderr, with what to do about them.
package main

import (
	"context"
	"os"

	"udpchat/cmd/internal/compare"
)

func main() {
	compare.Main() // 'compare' starts this program again, in network namespaces of its own.
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
