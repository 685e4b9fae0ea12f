package fec

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"testing"
)

var updateVectors = flag.Bool("update", false, "write testdata/vectors.json anew")

// A vector is a group for who implements the protocol: its source symbols and some of its repair symbols.
type vector struct {
	Source []string `json:"source"` // in hexadecimal digits, by index
	Repair []string `json:"repair"`
}

const vectorsFile = "testdata/vectors.json"

// vectorGroups are the groups of the file, by what they show.
func vectorGroups() map[string][][]byte {
	return map[string][][]byte{
		"one symbol":               {[]byte("a message")},
		"two of the same length":   {[]byte("first"), []byte("other")},
		"of different lengths":     {[]byte("a"), bytes.Repeat([]byte{0xff}, 20), []byte("three"), {0, 0, 0}},
		"as many as there can be":  uniques(7, SourceMax),
		"lengths above 255 matter": {bytes.Repeat([]byte{1}, 300), bytes.Repeat([]byte{2}, 258)},
	}
}

// The vectors are what this package makes, and every missing symbol comes back from them.
func TestVectors(t *testing.T) {
	groups := vectorGroups()
	got := make(map[string]vector)
	for name, syms := range groups {
		var v vector
		for i, s := range newLink(t).group(4, syms...) {
			if text := hex.EncodeToString(s.b); i < len(syms) {
				v.Source = append(v.Source, text)
			} else {
				v.Repair = append(v.Repair, text)
			}
		}
		got[name] = v
	}
	if *updateVectors {
		b, err := json.MarshalIndent(got, "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(vectorsFile, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]vector
	if err := json.Unmarshal(b, &want); err != nil || len(want) != len(groups) {
		t.Fatalf("%d groups in %s, want %d: %v", len(want), vectorsFile, len(groups), err)
	}
	for name, v := range want {
		if g := got[name]; len(g.Repair) != len(v.Repair) || len(g.Source) != len(v.Source) {
			t.Errorf("%s: %d+%d symbols, want %d+%d", name, len(g.Source), len(g.Repair), len(v.Source), len(v.Repair))
			continue
		}
		for i := range v.Repair {
			if got[name].Repair[i] != v.Repair[i] {
				t.Errorf("%s: repair symbol %d is %s, want %s", name, i, got[name].Repair[i], v.Repair[i])
			}
		}
		rebuildVector(t, name, v)
	}
}

// rebuildVector loses up to four source symbols of a vector and wants them back from its repair symbols.
func rebuildVector(t *testing.T, name string, v vector) {
	lost := min(len(v.Source), len(v.Repair))
	d, back := NewDecoder(nil), []string{}
	out := func(sym []byte) { back = append(back, hex.EncodeToString(sym)) }
	bin := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return b
	}
	for i := lost; i < len(v.Source); i++ {
		d.Source(0, 0, uint8(i), bin(v.Source[i]), out)
	}
	for i := range lost {
		d.Repair(0, 0, uint8(len(v.Source)), RepairMax, uint8(i), bin(v.Repair[i]), out)
	}
	if len(back) != lost {
		t.Fatalf("%s: %d symbols came back, want %d", name, len(back), lost)
	}
	for i := range back {
		if back[i] != v.Source[i] {
			t.Errorf("%s: symbol %d came back as %s, want %s", name, i, back[i], v.Source[i])
		}
	}
}
