// Package wiretest is what the tests of the protocols' decoders share: it feeds a decoder a stream in pieces, and prints what
// comes out so that it compares.
//
// For tests only. Everything belongs to the caller's goroutine.
package wiretest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// An Outcome is what a decoder made of a stream: values and faults in order.
type Outcome []string

// Values prints values as Decode does.
func Values[T any](vs ...T) Outcome {
	var out Outcome
	for _, v := range vs {
		out = append(out, fmt.Sprintf("%#v", v))
	}
	return out
}

// A Decoder makes values of a stream. Next returns false when it needs more, and an error for what is no value, which it has
// skipped then.
type Decoder[T any] interface {
	Feed(b []byte)
	Next() (v T, ok bool, err error)
}

// A flusher is a decoder for which silence means something.
type flusher interface {
	Pending() bool
	Flush()
}

// silencesMax is how long a silence is that ends whatever it can. A decoder that then still waits for it would for ever.
const silencesMax = 100

// Decode feeds the pieces to d and returns what it makes of them. With flush silence follows each of them, as a server would
// have it. fault prints an error, and panics if it is none that a peer can cause.
func Decode[T any](d Decoder[T], fault func(error) string, flush bool, pieces ...string) Outcome {
	var out Outcome
	drain := func() {
		for {
			v, ok, err := d.Next()
			switch {
			case err != nil:
				out = append(out, fault(err))
			case !ok:
				return
			default:
				out = append(out, fmt.Sprintf("%#v", v))
			}
		}
	}
	for _, piece := range pieces {
		d.Feed([]byte(piece))
		drain()
		f, flushes := d.(flusher)
		for n := 0; flush && flushes && f.Pending() && n < silencesMax; n++ {
			f.Flush()
			drain()
		}
	}
	return out
}

// Bytes cuts in at every byte.
func Bytes(in string) []string {
	pieces := make([]string, len(in))
	for i := range pieces {
		pieces[i] = in[i : i+1]
	}
	return pieces
}

// Pieces cuts in into pieces whose sizes wander with size; zero cuts at every byte at first.
func Pieces(in []byte, size uint8) []string {
	var out []string
	for n := int(size); len(in) > 0; n = (n*5 + 1) % 17 {
		k := min(n+1, len(in))
		out = append(out, string(in[:k]))
		in = in[k:]
	}
	return out
}

// EveryCut checks that in, cut in two at about as many places as cutsMax, and cut at every byte, always gives want.
func EveryCut(t *testing.T, in string, cutsMax int, want Outcome, decode func(pieces ...string) Outcome) {
	t.Helper()
	for cut := 0; cut <= len(in); cut += 1 + len(in)/cutsMax {
		if got := decode(in[:cut], in[cut:]); !slices.Equal(got, want) {
			t.Fatalf("cut at %d: got %.300v, want %.300v", cut, got, want)
		}
	}
	if got := decode(Bytes(in)...); !slices.Equal(got, want) {
		t.Errorf("byte by byte: got %.300v, want %.300v", got, want)
	}
}

// AnyCut checks that in is understood as a whole as it is in the pieces of size.
func AnyCut(t *testing.T, in []byte, size uint8, decode func(pieces ...string) Outcome) {
	t.Helper()
	if whole, cut := decode(string(in)), decode(Pieces(in, size)...); !slices.Equal(whole, cut) {
		t.Fatalf("whole: %v, cut: %v", strings.Join(whole, " "), strings.Join(cut, " "))
	}
}
