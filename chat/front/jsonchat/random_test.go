package jsonchat

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	wire "udpchat/chat/wire/jsonchat"
)

// TestRandomRequestsGetOneAnswerEach: whatever stands in their fields. Nothing panics, nothing unforeseen happens, and who
// has nothing to do with it is not disturbed.
func TestRandomRequestsGetOneAnswerEach(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 2))
	words := []any{
		nil, true, "", "ann", "YW5u", "Ym9i", "eA==", md5Hex("ann"), md5Hex("x"), strings.Repeat("A", 300), "../x", "\u0000", "é😀", "plaintext", "image",
		"file", 0, 1, 2, 3, -1, 1.5, math.MaxInt64, math.MinInt64, int64(1666500000000), []any{}, map[string]any{"a": 1},
	}
	names := []string{
		"STATE", "REGISTER", "LOGIN", "LOGOUT", "PROFILE", "MODIFYPASSWD", "MODIFYPROFILE", "SENDMSG", "SENDMSG", "SENDMSG", "ACKFETCH", "FETCHMSG",
		"FINDFILE", "FETCHFILE", "SEARCHUSR", "ADDCONTACT", "FETCHCONTACT", "DANCE", "",
	}
	keys := []string{
		"username", "passwd", "newPasswd", "userid", "targetid", "contenttype", "content", "timestamp", "md5encoded", "filemd5", "msgmd5", "avatar",
	}
	sane := map[string][]any{
		"contenttype": {"plaintext", "image", "file"}, "userid": {1, 2}, "targetid": {1, 2}, "timestamp": {1, 2, math.MaxInt64, math.MinInt64},
		"filemd5": {nil, md5Hex("x")}, "username": {"YW5u", "Ym9i"}, "passwd": {md5Hex("ann"), md5Hex("bob")}, "newPasswd": {md5Hex("ann")},
	}
	inWorld(t, Config{RequestsPerSecond: -1}, func(w *world) {
		ann, quiet := w.join("ann"), w.join("bob")
		for i := range 1500 {
			body := map[string]any{}
			for _, key := range keys {
				from := words
				if r.IntN(5) > 0 && sane[key] != nil {
					from = sane[key]
				}
				if v := from[r.IntN(len(from))]; r.IntN(20) > 0 {
					body[key] = v
				}
			}
			name := names[r.IntN(len(names))]
			text, err := json.Marshal(map[string]any{"request": name, "tokenid": ann.token, "body": body})
			if err != nil {
				t.Fatal(err)
			}
			payload := []string{"", "x", "nothing"}[r.IntN(3)]
			ann.heard()
			ann.Send(string(wire.AppendFrame(nil, wire.Form(r.IntN(2)), text, int64(len(payload)))) + payload)
			got, answers, want := ann.heard(), 0, 1
			if name == "ACKFETCH" {
				want = 0
			}
			for _, line := range got {
				if !strings.Contains(line, `"response":"FORWARDMSG"`) && !(name == "ADDCONTACT" && strings.Contains(line, `"response":"FETCHCONTACT"`)) {
					answers++
				}
			}
			if answers != want || ann.closed {
				t.Fatalf("seed %d, request %d: %s + %q: got %q, closed %v", seed, i, text, payload, got, ann.closed)
			}
			if log := w.log.String(); log != "" {
				t.Fatalf("seed %d, request %d: %s: logged %s", seed, i, text, log)
			}
			time.Sleep(20 * time.Second) // Locks and limits of accounts are not what this is about.
		}
		if res := quiet.do(wire.State{}, ""); res.Err != "" && res.Err != string(errNotLoggedIn) { // Its password may be another.
			t.Errorf("bob: got %q", res.Err)
		}
	})
}
