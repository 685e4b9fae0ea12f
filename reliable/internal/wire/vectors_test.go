package wire

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"testing"
	"time"
)

var updateVectors = flag.Bool("update", false, "write testdata/vectors.json anew")

// vectorsFile is for other implementations: frames and the clear datagrams that other vectors do not show, by what they say,
// in hexadecimal digits.
const vectorsFile = "testdata/vectors.json"

type vectors struct {
	Frames    map[string]string `json:"frames"`
	Datagrams map[string]string `json:"datagrams"`
}

func vectorFrames() map[string][]byte {
	ones := ^uint64(0)
	return map[string][]byte{
		"padding, 3 bytes": AppendPadding(nil, 3),
		"ping":             AppendPing(nil),
		"source, group 70000, index 31, symbol 'abc'":                              AppendSource(nil, 70000, 31, []byte("abc")),
		"source, group 2^32-1, index 0, symbol 'abc'":                              AppendSource(nil, 1<<32-1, 0, []byte("abc")),
		"bare, symbol 'abc'":                                                       AppendBare(nil, []byte("abc")),
		"repair, group 70000, asks, index 15, K 32, age 35 ms, symbol 'abc'":       AppendRepair(nil, Repair{70000, 32, 15, true, 35 * time.Millisecond, []byte("abc")}),
		"repair, group 5, does not ask, index 1, K 1, age 2^16-1 ms, symbol 'abc'": AppendRepair(nil, Repair{5, 1, 1, false, time.Hour, []byte("abc")}),
		"acknowledgement, largest 300, delay 1.5 ms, lost 0, nothing missing":      AppendAck(nil, Ack{300, 1500 * time.Microsecond, 0, ones}),
		"acknowledgement, largest 300, delay 0, lost 2, 299 and 289 missing":       AppendAck(nil, Ack{300, 0, 2, ones &^ (1 | 1<<10)}),
		"acknowledgement, largest 2^24+1, delay 0, lost 64, the 64 before missing": AppendAck(nil, Ack{1<<24 + 1, 0, 64, 0}),
		"close, code 256, text 'bye'":                                              AppendClose(nil, 256, "bye"),
		"close, code 0, no text":                                                   AppendClose(nil, 0, ""),
		"crypto, 'abc'":                                                            AppendCrypto(nil, []byte("abc")),
		"token, 'abc'":                                                             AppendToken(nil, []byte("abc")),
		"challenge, 0102030405060708":                                              AppendChallenge(nil, Challenge{1, 2, 3, 4, 5, 6, 7, 8}),
		"response, 0102030405060708":                                               AppendResponse(nil, Challenge{1, 2, 3, 4, 5, 6, 7, 8}),
		"piece, the first of 2, 'abc'":                                             AppendPiece(nil, 0, 2, []byte("abc")),
		"data, symbol 'abc'":                                                       AppendData(nil, []byte("abc")),
		"reset, stream 6, code 256":                                                AppendReset(nil, 6, 256),
	}
}

func vectorDatagrams() map[string][]byte {
	nonce := Nonce{15: 9}
	return map[string][]byte{
		"retry to 5, nonce 0…09, cookie 'abc'": AppendRetry(nil, Retry{5, nonce, []byte("abc")}),
		"refuse to 5, nonce 0…09, code 3":      AppendRefuse(nil, Refuse{5, nonce, 3}),
		"call, nonce 7":                        AppendCall(nil, 7),
	}
}

// What the code writes is what the file says, and the code reads it.
func TestVectors(t *testing.T) {
	got := vectors{map[string]string{}, map[string]string{}}
	for name, b := range vectorFrames() {
		got.Frames[name] = hex.EncodeToString(b)
		f, rest, err := ParseFrame(b)
		if err != nil || len(rest) > 0 {
			t.Errorf("%s: %+v, %x left, %v", name, f, rest, err)
		}
	}
	for name, b := range vectorDatagrams() {
		got.Datagrams[name] = hex.EncodeToString(b)
		_, bad := ParseType(b)
		_, errRetry := ParseRetry(b)
		_, errRefuse := ParseRefuse(b)
		_, errCall := ParseCall(b)
		if bad != nil || errRetry != nil && errRefuse != nil && errCall != nil {
			t.Errorf("%s: cannot be read", name)
		}
	}
	again, err := json.MarshalIndent(got, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	again = append(again, '\n')
	if *updateVectors {
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
}
