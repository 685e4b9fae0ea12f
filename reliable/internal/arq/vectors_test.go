package arq

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"

	kcp "github.com/xtaci/kcp-go/v5"
)

var updateVectors = flag.Bool("update", false, "write testdata/vectors.json anew")

// vectorsFile is for other implementations: packed symbols, and the segments that are in them.
const vectorsFile = "testdata/vectors.json"

type vectors struct {
	Taken   map[string]vector `json:"taken"`
	Refused map[string]string `json:"refused"` // packed symbols
}

// A vector is a symbol in hexadecimal digits.
type vector struct {
	Time     uint32 `json:"time_ms"`  // the receiver's clock
	Packed   string `json:"packed"`   // as it travels
	Segments string `json:"segments"` // as KCP takes it
}

const vectorTime = 5<<16 + 100

// vectorSymbols are the symbols of the file, by what they show.
func vectorSymbols() map[string][][]byte {
	data := func(id, sn, una uint32, stamp uint32, text string) []byte {
		return stamped(segmentBytes(id, kcp.IKCP_CMD_PUSH, 0, sn, una, []byte(text)), stamp&0xffff)
	}
	answer := func(id, sn, una uint32, stamp uint32) []byte {
		return stamped(segmentBytes(id, kcp.IKCP_CMD_ACK, 0, sn, una, nil), stamp)
	}
	return map[string][][]byte{
		"a message":                       {data(0, 300, 5, vectorTime, "hello")},
		"two segments":                    {data(0, 300, 5, vectorTime, "hello"), data(0, 301, 5, vectorTime, "again")},
		"a stream is opened":              {data(4, 0, 0, vectorTime, "\x00")},
		"a bulk stream of the server":     {data(7, 0, 0, vectorTime, "\x00bytes")},
		"the end of a stream":             {data(4, 1, 0, vectorTime, "\x01")},
		"an acknowledgement":              {answer(0, 300, 301, vectorTime-90)},
		"of a segment beyond a gap":       {answer(0, 300, 5, vectorTime-90)},
		"a stamp of before the low bits":  {answer(0, 300, 301, vectorTime-60000)},
		"a stamp that seems to be early":  {answer(0, 300, 301, vectorTime+1000)},
		"numbers that have wrapped":       {answer(0, 1<<32-1, 3, vectorTime)},
		"a window question":               {segmentBytes(0, kcp.IKCP_CMD_WASK, 0, 0, 301, nil)},
		"a window answer":                 {segmentBytes(0, kcp.IKCP_CMD_WINS, 0, 0, 301, nil)},
		"an acknowledgement beside bytes": {answer(0, 8, 9, vectorTime-20), data(0, 300, 9, vectorTime, "hello")},
	}
}

// vectorsRefused are packed symbols that are malformed, each for one reason.
func vectorsRefused() map[string]string {
	return map[string]string{
		"empty":                              "",
		"no segment":                         "000540",
		"a variable longer than need be":     "80000540070000",
		"a variable of more than 32 bits":    "ffffffff1f054007",
		"a window of more than 16 bits":      "00058080800407",
		"an unknown bit":                     "0005400f",
		"no last segment":                    "00054003",
		"bytes behind the last segment":      "0005400700",
		"a length beyond the end":            "000540000100000568",
		"data without bytes":                 "00054004010000",
		"data without bytes before the last": "0005400001000000" + "07",
	}
}

// Packed symbols are what the file says, both ways, and those that it calls malformed are refused.
func TestVectors(t *testing.T) {
	got := vectors{map[string]vector{}, vectorsRefused()}
	for name, segments := range vectorSymbols() {
		whole := bytes.Join(segments, nil)
		got.Taken[name] = vector{vectorTime, hex.EncodeToString(appendPacked(nil, whole)), hex.EncodeToString(whole)}
	}
	again, err := json.MarshalIndent(got, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	again = append(again, '\n')
	if *updateVectors {
		if err := os.MkdirAll(filepath.Dir(vectorsFile), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(vectorsFile, again, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again, b) {
		t.Errorf("%s is not what the code makes; with -update it is rewritten, which breaks every other implementation", vectorsFile)
	}
	var want vectors
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	for name, v := range want.Taken {
		segments, err := appendUnpacked(nil, unhex(t, v.Packed), v.Time, 2000)
		if err != nil || hex.EncodeToString(segments) != v.Segments {
			t.Errorf("%s: %s comes out as %x, %v; want %s", name, v.Packed, segments, err, v.Segments)
		}
	}
	for name, packed := range want.Refused {
		if segments, err := appendUnpacked(nil, unhex(t, packed), vectorTime, 2000); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %s comes out as %x, %v; want %v", name, packed, segments, err, ErrMalformed)
		}
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
