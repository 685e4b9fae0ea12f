package compare

import (
	"strings"
	"testing"
	"time"
)

const traceHead = `{"format":"udpchat-link","version":1,"profile":"lossy-20","seed":7}` + "\n"

func TestTraceIsReadBack(t *testing.T) {
	link, err := readTrace(strings.NewReader(traceHead +
		`{"client":"a","direction":"up","at_ms":0,"ordinal":0,"size_bytes":9,"verdict":"kept","deliver_ms":50}
{"client":"b","direction":"up","at_ms":5,"ordinal":0,"size_bytes":9,"verdict":"loss"}
{"client":"a","direction":"up","at_ms":100,"ordinal":1,"size_bytes":9,"verdict":"burst"}
{"client":"a","direction":"down","at_ms":150.5,"ordinal":0,"size_bytes":9,"verdict":"kept","deliver_ms":210.5}
`))
	if err != nil {
		t.Fatal(err)
	}
	up, down := link.Up.Replay, link.Down.Replay
	if len(up.Moments) != 2 || up.Moments[0].Delay != 50*time.Millisecond || !up.Moments[1].Lost || len(down.Moments) != 1 ||
		down.Moments[0].Delay != 60*time.Millisecond || up.Span != down.Span || up.Span != 151500*time.Microsecond {
		t.Errorf("got up %+v, down %+v", up, down)
	}
}

func TestTraceRefusesWhatCannotBe(t *testing.T) {
	for name, text := range map[string]string{
		"empty":       "",
		"not JSON":    "hello",
		"no header":   `{"client":"a","direction":"up","at_ms":0,"verdict":"loss"}`,
		"new version": `{"format":"udpchat-link","version":2}`,
		"nobody":      traceHead,
		"direction":   traceHead + `{"client":"a","direction":"sideways","at_ms":0,"verdict":"loss"}`,
		"negative":    traceHead + `{"client":"a","direction":"up","at_ms":-1,"verdict":"loss"}`,
		"huge":        traceHead + `{"client":"a","direction":"up","at_ms":1e300,"verdict":"loss"}`,
		"early":       traceHead + `{"client":"a","direction":"up","at_ms":9,"verdict":"kept","deliver_ms":3}`,
		"backwards":   traceHead + `{"client":"a","direction":"up","at_ms":9,"verdict":"loss"}` + `{"client":"a","direction":"up","at_ms":3,"verdict":"loss"}`,
	} {
		if _, err := readTrace(strings.NewReader(text)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
