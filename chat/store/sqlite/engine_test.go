package sqlite_test

import (
	"flag"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"udpchat/chat"
	"udpchat/chat/store/enginetest"
	"udpchat/chat/store/sqlite"
)

func TestMain(m *testing.M) {
	enginetest.CrashMain(openNamed)
	goleak.VerifyTestMain(m)
}

// openNamed opens an engine on storage whose name is a durability and a directory.
func openNamed(name string) (chat.Engine, error) {
	d, dir, _ := strings.Cut(name, " ")
	cfg := sqlite.Config{}
	if d == sqlite.Fast.String() {
		cfg.Durability = sqlite.Fast
	}
	return sqlite.Open(dir, cfg)
}

var kills = flag.Int("kills", 6, "how often the process that writes is killed, for each durability")

// Fast, too, loses nothing when it is only the process that dies.
func TestKilledProcessLosesNothing(t *testing.T) {
	for _, d := range []sqlite.Durability{sqlite.Synced, sqlite.Fast} {
		t.Run(d.String(), func(t *testing.T) {
			enginetest.Crash(t, enginetest.CrashConfig{
				Storage: func(tb testing.TB) string { return d.String() + " " + tb.TempDir() },
				Open:    openNamed,
				Kills:   *kills,
			})
		})
	}
}

func TestEngine(t *testing.T) {
	enginetest.Run(t, enginetest.Config{
		New: func(tb testing.TB) func() (chat.Engine, error) {
			dir := tb.TempDir()
			return func() (chat.Engine, error) { return sqlite.Open(dir, sqlite.Config{}) }
		},
		Durable:         true,
		MessageBytesMax: 16 << 20, RecordBytesMax: 1 << 20, NameBytesMax: 1 << 10,
	})
}
