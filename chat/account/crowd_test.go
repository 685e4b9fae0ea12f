package account_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/chat"
	"udpchat/chat/account"
	"udpchat/chat/store/memory"
)

// A distantEngine takes a moment for reading, so that all who read at the same time read the same.
type distantEngine struct{ chat.Engine }

func (e distantEngine) Get(ctx context.Context, bucket, key string) (chat.Entry, error) {
	entry, err := e.Engine.Get(ctx, bucket, key)
	time.Sleep(time.Millisecond)
	return entry, err
}

// Many who come at the same moment to two servers all get in, each with a number of its own.
func TestCrowdOfGuestsGetsIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := distantEngine{memory.New(memory.Config{})}
		services := []*account.Service{newService(t, e), newService(t, e)}
		const crowd = 500
		var mu sync.Mutex
		numbers := make(map[uint64]bool)
		var wg sync.WaitGroup
		for i := range crowd {
			wg.Go(func() {
				who, err := services[i%2].Guest(t.Context(), account.Attempt{}, "")
				mu.Lock()
				defer mu.Unlock()
				if err != nil || numbers[who.ID] {
					t.Errorf("guest %d: number %d, %v", i, who.ID, err)
				}
				numbers[who.ID] = true
			})
		}
		wg.Wait()
	})
}
