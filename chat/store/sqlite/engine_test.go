package sqlite_test

import (
	"flag"
	"testing"

	"go.uber.org/goleak"

	"udpchat/chat"
	"udpchat/chat/store/enginetest"
	"udpchat/chat/store/sqlite"
)

func TestMain(m *testing.M) {
	enginetest.CrashMain(openSynced)
	goleak.VerifyTestMain(m)
}

func openSynced(dir string) (chat.Engine, error) { return sqlite.Open(dir, sqlite.Config{}) }

var kills = flag.Int("kills", 10, "how often the process that writes is killed")

func TestKilledProcessLosesNothing(t *testing.T) {
	enginetest.Crash(t, enginetest.CrashConfig{
		Storage: func(tb testing.TB) string { return tb.TempDir() },
		Open:    openSynced,
		Kills:   *kills,
	})
}

func TestEngine(t *testing.T) {
	for _, d := range []sqlite.Durability{sqlite.Synced, sqlite.Fast} {
		t.Run(d.String(), func(t *testing.T) {
			enginetest.Run(t, enginetest.Config{
				New: func(tb testing.TB) func() (chat.Engine, error) {
					dir := tb.TempDir()
					return func() (chat.Engine, error) { return sqlite.Open(dir, sqlite.Config{Durability: d}) }
				},
				Durable:         true,
				MessageBytesMax: 16 << 20, RecordBytesMax: 1 << 20, NameBytesMax: 1 << 10,
			})
		})
	}
}
