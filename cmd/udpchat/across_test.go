package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"udpchat/client"
)

// TestDirectMessagesAcrossProtocols has three people talk on one port: ann by the native protocol, bob by length-prefixed
// JSON with an account that he made by the native one, cat by the instant messaging protocol.
func TestDirectMessagesAcrossProtocols(t *testing.T) {
	s := startNative(t)
	ctx := t.Context()
	ann := s.dial("ann", client.UDP)
	_ = s.dial("bob", client.UDP).Close() // He has an account now.
	bob := dialJSON(t, s.addr(), nil)
	bobID := bob.ask("LOGIN", object{"username": b64("BOB"), "passwd": md5Of([]byte("secret-bob"))})["userid"]
	annID := bob.ask("SEARCHUSR", object{"username": b64("ann")})["userid"]
	cat := dialIM(t, s.addr())
	cat.send(`[register] {"user": "cat", "password": "secret-cat"}`)
	cat.want("[200] None")
	catID := bob.ask("SEARCHUSR", object{"username": b64("cat")})["userid"]
	now := time.Now().UnixMilli()

	place, err := ann.Direct(ctx, "bob", 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ann.Say(ctx, place.Log, "from native, 世界"); err != nil {
		t.Fatal(err)
	}
	if got, _ := bob.want("FORWARDMSG"); got["content"] != b64("from native, 世界") || got["userid"] != annID || got["targetid"] != bobID {
		t.Errorf("bob got %v", got)
	}
	bob.ask("SENDMSG", jsonMessage(bobID, annID, "plaintext", "from jsonchat", now))
	heard(t, ann, "from jsonchat")
	bob.ask("SENDMSG", jsonMessage(bobID, catID, "plaintext", "hi cat", now+1))
	cat.want("[200] bob: hi cat")
	cat.send(`[message] {"reciever": "bob", "message": "from im"}`)
	if got, _ := bob.want("FORWARDMSG"); got["content"] != b64("from im") || got["userid"] != catID {
		t.Errorf("bob got %v", got)
	}

	// Files go both ways, by their MD5 here and by their SHA-256 there.
	dir := t.TempDir()
	path, content := filepath.Join(dir, "theirs.bin"), bytes.Repeat([]byte("file of ann "), 10_000)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := ann.Upload(ctx, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ann.Announce(place.Log, file); err != nil {
		t.Fatal(err)
	}
	parcel, _ := bob.want("FORWARDMSG")
	if parcel["contenttype"] != "file" || parcel["content"] != b64("theirs.bin") || parcel["filemd5"] != md5Of(content) {
		t.Errorf("bob got %v", parcel)
	}
	download := bob.another()
	download.send("FETCHFILE", object{"msgmd5": parcel["md5encoded"]}, nil)
	if _, got := download.want("FETCHFILE"); !bytes.Equal(got, content) {
		t.Errorf("bob got a file of %d bytes, want %d", len(got), len(content))
	}
	back := bytes.Repeat([]byte("file of bob "), 10_000)
	answer := jsonMessage(bobID, annID, "file", "ours.bin", now+2)
	answer["filemd5"] = md5Of(back)
	upload := bob.another()
	upload.send("SENDMSG", answer, back)
	upload.want("SENDMSG")
	said := shown(t, ann, "ours.bin")
	path = filepath.Join(dir, "ours.bin")
	if err := ann.Download(ctx, said.Log, said.Seq, path, nil); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, back) {
		t.Errorf("ann got a file of %d bytes, %v, want %d", len(got), err, len(back))
	}

	// A block holds everywhere.
	if err := ann.Block(ctx, "bob"); err != nil {
		t.Fatal(err)
	}
	bob.send("SENDMSG", jsonMessage(bobID, annID, "plaintext", "blocked", now+3), nil)
	for {
		o, _ := bob.next()
		if o["response"] == "SENDMSG" {
			if o["status"] != "ERR" || !strings.Contains(fmt.Sprint(o["info"]), "has blocked you") {
				t.Errorf("bob, blocked, got %v", o)
			}
			break
		}
	}
}

// shown waits for a file of that name.
func shown(t *testing.T, c *client.Client, name string) client.Said {
	t.Helper()
	timeout := time.After(scriptWait)
	for {
		select {
		case ev, ok := <-c.Events():
			if !ok {
				t.Fatalf("client has ended: %v", c.Err())
			}
			if said, ok := ev.(client.Said); ok && said.File != nil && said.File.Name == name {
				return said
			}
		case <-timeout:
			t.Fatalf("nobody has shown %q", name)
		}
	}
}

// An imClient speaks the instant messaging protocol as its program does: what one Read brings is a packet.
type imClient struct {
	t    *testing.T
	conn net.Conn
	all  string
}

func dialIM(t *testing.T, addr string) *imClient {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(scriptWait)); err != nil {
		t.Fatal(err)
	}
	return &imClient{t: t, conn: conn}
}

func (c *imClient) send(packet string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, packet); err != nil {
		c.t.Fatal(err)
	}
}

// want reads until packet has come.
func (c *imClient) want(packet string) {
	c.t.Helper()
	buf := make([]byte, 1024)
	for !strings.Contains(c.all, packet) {
		n, err := c.conn.Read(buf)
		if err != nil {
			c.t.Fatalf("got %q and %v, want %q", c.all, err, packet)
		}
		c.all += string(buf[:n])
	}
}
