package compare

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A run without a process of its own can hang as well: nobody waits for it for ever.
func TestARunThatHangsInRealTimeIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, release := time.Now(), make(chan struct{})
		defer close(release)
		res := cutOff(t.Context(), Spec{Transport: "kcp", Workload: "chat", Messages: 10}, func(context.Context) Result {
			<-release
			return Result{}
		})
		if !strings.Contains(res.Error, "cut off") || res.Transport != "kcp" {
			t.Errorf("got %+v", res)
		}
		if took := time.Since(began); took > 2*time.Minute {
			t.Errorf("it took %v", took)
		}
	})
}

func TestARunThatSeesItsEndIsHeardOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		res := cutOff(ctx, Spec{Workload: "chat", Messages: 10}, func(ctx context.Context) Result {
			<-ctx.Done()
			return Result{Delivered: 3}
		})
		if res.Delivered != 3 {
			t.Errorf("got %+v", res)
		}
	})
}
