package main

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"udpchat/chat/store/sqlite"
	"udpchat/config"
)

// A jsonClient speaks the length-prefixed JSON protocol as its document and programs do; it shares no code with the server.
type jsonClient struct {
	t     *testing.T
	addr  string
	conn  net.Conn
	token any
	short bool // Headers of 4 and 4 bytes.
}

func dialJSON(t *testing.T, addr string, token any) *jsonClient {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(scriptWait)); err != nil {
		t.Fatal(err)
	}
	return &jsonClient{t: t, addr: addr, conn: conn, token: token}
}

// another opens one more connection of the same device, as clients do for every file.
func (c *jsonClient) another() *jsonClient {
	c.t.Helper()
	other := dialJSON(c.t, c.addr, c.token)
	other.short = c.short
	return other
}

type object = map[string]any

// send writes a request; the JSON goes alone, and the payload in pieces.
func (c *jsonClient) send(request string, body object, payload []byte) {
	c.t.Helper()
	text, err := json.Marshal(object{"request": request, "tokenid": c.token, "body": body})
	if err != nil {
		c.t.Fatal(err)
	}
	head := binary.LittleEndian.AppendUint32(nil, uint32(len(text)))
	if c.short {
		head = binary.LittleEndian.AppendUint32(head, uint32(len(payload)))
	} else {
		head = binary.LittleEndian.AppendUint64(head, uint64(len(payload)))
	}
	for _, piece := range [][]byte{head, text, payload} {
		if _, err := c.conn.Write(piece); err != nil {
			c.t.Fatal(err)
		}
	}
}

// next reads one response.
func (c *jsonClient) next() (object, []byte) {
	c.t.Helper()
	head := make([]byte, 12)
	if c.short {
		head = head[:8]
	}
	if _, err := io.ReadFull(c.conn, head); err != nil {
		c.t.Fatalf("reading a header: %v", err)
	}
	text := make([]byte, binary.LittleEndian.Uint32(head))
	payload := make([]byte, binary.LittleEndian.Uint32(head[4:])) // None of the test's is longer.
	for _, part := range [][]byte{text, payload} {
		if _, err := io.ReadFull(c.conn, part); err != nil {
			c.t.Fatalf("reading a frame: %v", err)
		}
	}
	var o object
	if err := json.Unmarshal(text, &o); err != nil || len(o) != 4 {
		c.t.Fatalf("got %s: %v", text, err)
	}
	return o, payload
}

// want reads until the response of that name, and returns its body. Token numbers are kept.
func (c *jsonClient) want(response string) (object, []byte) {
	c.t.Helper()
	for {
		o, payload := c.next()
		body, _ := o["body"].(object)
		if o["response"] == "TOKEN" {
			c.token = body["tokenid"]
			continue
		}
		if o["response"] != response || o["status"] != "OK" {
			c.t.Fatalf("got %v, want %s", o, response)
		}
		return body, payload
	}
}

// ask sends a request and returns the body of the answer.
func (c *jsonClient) ask(request string, body object) object {
	c.t.Helper()
	c.send(request, body, nil)
	answer, _ := c.want(request)
	return answer
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func md5Of(b []byte) string {
	sum := md5.Sum(b)
	return hex.EncodeToString(sum[:])
}

// jsonMessage makes a message as clients do: its name is the MD5 of content, sender, recipient and time.
func jsonMessage(from, to any, kind, content string, at int64) object {
	sum := []byte(content)
	for _, n := range []int64{int64(from.(float64)), int64(to.(float64)), at} {
		sum = binary.LittleEndian.AppendUint32(sum, uint32(n))
	}
	return object{
		"userid": from, "targetid": to, "contenttype": kind, "content": b64(content), "timestamp": at, "md5encoded": md5Of(sum), "filemd5": nil,
	}
}

// TestJSONClientsOverRealSockets is a day in the life of two users, on a port of their own and on the shared one, in both
// forms of the header, with a store on disk.
func TestJSONClientsOverRealSockets(t *testing.T) {
	n := startNode(t, func(c *config.Config) { c.Durability = sqlite.Fast.String() },
		config.Listener{Address: "127.0.0.1:0", Transport: config.TCP, Protocol: config.JSONChat},
		config.Listener{Address: "127.0.0.1:0", Transport: config.TCP, Protocol: config.Auto})
	for i, short := range []bool{false, true} {
		t.Run(n.addrs[i].String(), func(t *testing.T) { playJSON(t, n.addrs[i].Addr.String(), fmt.Sprint(i), short) })
	}
}

func playJSON(t *testing.T, addr, suffix string, short bool) {
	open := func() *jsonClient {
		c := dialJSON(t, addr, nil)
		c.short = short
		return c
	}
	// As the program does: a connection of its own asks for the token, the one that stays uses it.
	first := open()
	first.send("STATE", object{}, nil)
	for range 2 {
		if o, _ := first.next(); o["response"] == "TOKEN" {
			first.token = o["body"].(object)["tokenid"]
		} else if o["info"] != "Exception: User not logged in" {
			t.Fatalf("got %v", o)
		}
	}
	first.conn.Close()
	ann := first.another()
	passwd := md5Of([]byte("secret"))
	annID := ann.ask("REGISTER", object{"username": b64("Ann" + suffix), "passwd": passwd, "newPasswd": nil})["userid"]
	bob := open()
	bobID := bob.ask("REGISTER", object{"username": b64("bob" + suffix), "passwd": passwd})["userid"]
	tablet := open()
	tablet.ask("LOGIN", object{"username": b64("bob" + suffix), "passwd": passwd})

	// They find each other and are contacts.
	found := ann.ask("SEARCHUSR", object{"username": b64("bob" + suffix)})
	if found["userid"] != bobID {
		t.Fatalf("found %v, want %v", found, bobID)
	}
	adding := ann.another()
	adding.ask("ADDCONTACT", object{"userid": bobID})
	if lists, _ := adding.want("FETCHCONTACT"); len(lists["pending"].([]any)) != 1 {
		t.Errorf("got %v, want a pending one", lists)
	}
	bob.ask("ADDCONTACT", object{"userid": annID})
	if lists, _ := bob.want("FETCHCONTACT"); len(lists["contacts"].([]any)) != 1 {
		t.Errorf("got %v, want a contact", lists)
	}

	// A text, an image and a file reach both devices of bob.
	now := time.Now().UnixMilli()
	file := bytes.Repeat([]byte("0123456789abcdef"), 200_000)
	text := jsonMessage(annID, bobID, "plaintext", "hello, 世界", now)
	image := jsonMessage(annID, bobID, "image", b64("\x89PNG\r\n\x1a\n"+strings.Repeat("p", 300_000)), now+1)
	parcel := jsonMessage(annID, bobID, "file", "report.bin", now+2)
	parcel["filemd5"] = md5Of(file)
	if got := ann.ask("SENDMSG", text); got["md5encoded"] != text["md5encoded"] {
		t.Errorf("the answer is %v", got)
	}
	ann.ask("SENDMSG", image)
	upload := ann.another()
	upload.send("SENDMSG", parcel, file)
	upload.want("SENDMSG")
	for _, c := range []*jsonClient{bob, tablet} {
		for _, want := range []object{text, image, parcel} {
			got, _ := c.want("FORWARDMSG")
			if fmt.Sprint(got["md5encoded"], got["content"], got["filemd5"]) != fmt.Sprint(want["md5encoded"], want["content"], want["filemd5"]) {
				t.Errorf("got %.200v, want %.200v", got, want)
			}
		}
	}
	download := bob.another()
	download.send("FETCHFILE", object{"msgmd5": parcel["md5encoded"]}, nil)
	if _, got := download.want("FETCHFILE"); !bytes.Equal(got, file) {
		t.Errorf("got a file of %d bytes, want %d", len(got), len(file))
	}

	// bob answers, and his tablet hears of it; what he has is not fetched again.
	bob.ask("SENDMSG", jsonMessage(bobID, annID, "plaintext", "thanks", now+3))
	if got, _ := tablet.want("FORWARDMSG"); got["content"] != b64("thanks") {
		t.Errorf("the tablet got %v", got)
	}
	if list := bob.ask("FETCHMSG", object{})["messages"].([]any); len(list) != 0 {
		t.Errorf("bob fetched %d messages, want none", len(list))
	}
	tablet.send("ACKFETCH", object{"timestamp": now}, nil)
	if list := tablet.ask("FETCHMSG", object{})["messages"].([]any); len(list) != 3 || list[0].(object)["content"] != b64("thanks") {
		t.Errorf("the tablet fetched %d messages, want 3, the newest first", len(list))
	}
	bob.ask("LOGOUT", object{})
	if got := tablet.ask("STATE", object{})["userid"]; got != bobID {
		t.Errorf("the tablet is %v, want %v", got, bobID)
	}
}
