package jetstream_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"udpchat/chat"
	"udpchat/chat/store/enginetest"
	"udpchat/chat/store/jetstream"
)

// nats3 is the cluster that all tests use but those that do violence to it.
var nats3 *cluster

func TestMain(m *testing.M) {
	enginetest.CrashMain(openNamed)
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "jetstream-test-*")
	if err == nil {
		defer os.RemoveAll(dir)
		if server, err = buildServer(dir); err == nil {
			nats3, err = startCluster(dir)
			defer nats3.stop()
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// openNamed opens an engine on storage whose name is a prefix and the servers.
func openNamed(name string) (chat.Engine, error) {
	prefix, servers, _ := strings.Cut(name, " ")
	return jetstream.Open(context.Background(), jetstream.Config{Servers: strings.Fields(servers), Prefix: prefix, Shards: 2})
}

const (
	messageBytesMax = 1<<20 - 16<<10
	nameBytesMax    = 1 << 10
)

func TestEngine(t *testing.T) {
	for name, forget := range map[string]bool{"kept": false, "forgetting": true} {
		t.Run(name, func(t *testing.T) {
			enginetest.Run(t, enginetest.Config{
				New: func(tb testing.TB) func() (chat.Engine, error) {
					cfg := nats3.config(nats3.storage(tb))
					cfg.Forget = forget
					return func() (chat.Engine, error) { return jetstream.Open(tb.Context(), cfg) }
				},
				Durable: true, Nodes: true,
				MessageBytesMax: messageBytesMax, RecordBytesMax: messageBytesMax, NameBytesMax: nameBytesMax,
			})
		})
	}
}
