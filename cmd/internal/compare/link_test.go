package compare

import (
	"strings"
	"testing"
	"time"
)

func TestImpossibleLinksAreRefusedByTheFlagThatIsWrong(t *testing.T) {
	for want, tt := range map[string]struct{ one, both Shape }{
		"--up-delay foo: want a time":      {Shape{Delay: "foo"}, Shape{}},
		"--delay foo: want a time":         {Shape{Loss: "1%"}, Shape{Delay: "foo"}},
		"--up-dup 101%: want a share":      {Shape{Duplicate: "101%"}, Shape{Duplicate: "1%"}},
		"--up-rate 1: want bits":           {Shape{Rate: "1"}, Shape{}},
		"--burst 0s: want a time of":       {Shape{Loss: "1%"}, Shape{Burst: "0s"}},
		"--up-burst 1s: a burst that":      {Shape{Burst: "1s"}, Shape{Loss: "1"}},
		"--up-burst says":                  {Shape{Burst: "1s"}, Shape{}},
		"--queue says":                     {Shape{}, Shape{Queue: "1s"}},
		"--up-queue 0s: want more than 0":  {Shape{Queue: "0s"}, Shape{Rate: "1mbit"}},
		"--corrupt -1%: want a share from": {Shape{}, Shape{Corrupt: "-1%"}},
	} {
		if _, err := tt.one.Params("up-", tt.both); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestADirectionHasWhatItDoesNotSayFromBoth(t *testing.T) {
	p, err := Shape{Delay: "20ms", Burst: "30ms"}.Params("up-", Shape{Delay: "50ms", Loss: "10%", Rate: "1mbit", Queue: "100ms"})
	if err != nil {
		t.Fatal(err)
	}
	if p.Delay != 20*time.Millisecond || p.Loss != 0 || p.Burst.Share != 0.1 || p.Burst.Mean != 30*time.Millisecond || p.Rate != 1_000_000 || p.Queue != 100*time.Millisecond {
		t.Errorf("got %+v", p)
	}
}
