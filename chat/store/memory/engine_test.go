package memory_test

import (
	"testing"

	"go.uber.org/goleak"

	"udpchat/chat"
	"udpchat/chat/store/enginetest"
	"udpchat/chat/store/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEngine(t *testing.T) {
	enginetest.Run(t, enginetest.Config{
		New: func(testing.TB) func() (chat.Engine, error) {
			return func() (chat.Engine, error) { return memory.New(memory.Config{}), nil }
		},
		MessageBytesMax: 16 << 20, RecordBytesMax: 1 << 20, NameBytesMax: 1 << 10,
	})
}
