package jetstream_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
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

// suite is what the conformance suite is told about engines.
var suite = enginetest.Config{
	Durable: true, Nodes: true,
	MessageBytesMax: messageBytesMax, RecordBytesMax: messageBytesMax, NameBytesMax: nameBytesMax,
}

// opener makes storage and opens engines on it.
func opener(change func(*jetstream.Config), opened func(*jetstream.Engine)) func(testing.TB) func() (chat.Engine, error) {
	return func(tb testing.TB) func() (chat.Engine, error) {
		cfg := nats3.config(nats3.storage(tb))
		change(&cfg)
		return func() (chat.Engine, error) {
			e, err := jetstream.Open(tb.Context(), cfg)
			if err == nil {
				opened(e)
			}
			return e, err
		}
	}
}

func TestEngine(t *testing.T) {
	cfg := suite
	cfg.New = opener(func(*jetstream.Config) {}, func(*jetstream.Engine) {})
	enginetest.Run(t, cfg)
}

// only runs some checks of the suite.
func only(t *testing.T, cfg enginetest.Config, names ...string) {
	t.Helper()
	n := 0
	for _, c := range enginetest.Checks() {
		if slices.Contains(names, c.Name) {
			n++
			t.Run(c.Name, func(t *testing.T) { c.Run(t, cfg) })
		}
	}
	if n != len(names) {
		t.Errorf("%d checks of %q", n, names)
	}
}

func TestEngineOfRoomsThatForget(t *testing.T) {
	cfg := suite
	cfg.New = opener(func(cfg *jetstream.Config) { cfg.Forget, cfg.Shards = true, 1 }, func(*jetstream.Engine) {})
	only(t, cfg, "ConcurrentWriters", "ReadPages", "RecordList", "NodesShareOneOrder")
}

// What the servers publish once more promises nothing: here two messages in three are lost, repeated, or late.
func TestNodeThatHearsBadlyDeliversEverything(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	cfg := suite
	cfg.New = opener(func(*jetstream.Config) {}, func(e *jetstream.Engine) { e.HearBadly(seed) })
	only(t, cfg, "ConcurrentWriters", "SubscribeFromNowOn", "SubscribeDuringWrites", "NodesShareOneOrder")
}

var kills = flag.Int("kills", 3, "how often the process that writes is killed")

func TestKilledProcessLosesNothing(t *testing.T) {
	enginetest.Crash(t, enginetest.CrashConfig{
		Storage: func(tb testing.TB) string { return nats3.storage(tb) + " " + strings.Join(nats3.urls, " ") },
		Open:    openNamed,
		Kills:   *kills,
	})
}
