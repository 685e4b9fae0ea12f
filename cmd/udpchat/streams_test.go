package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"testing"

	"udpchat/config"
	"udpchat/reliable"
)

// dialNode opens a reliable connection to a node.
func dialNode(t *testing.T, n *node) *reliable.Conn {
	t.Helper()
	to := n.invite()
	conn, err := reliable.Dial(t.Context(), to.server, reliable.Config{ServerKey: to.key})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Abort(0, "") })
	return conn
}

// awaitLine reads until a line begins with want.
func awaitLine(t *testing.T, in *bufio.Scanner, want string) {
	t.Helper()
	for in.Scan() {
		if strings.HasPrefix(in.Text(), want) {
			return
		}
	}
	t.Fatalf("%q never came: %v", want, in.Err())
}

// Every stream of a connection is a session of its own: members of one room may sit on several of them, on the
// connection itself and on other transports. To them a stream is what TCP is: the address in a JOIN is not called.
func TestStreamsAreSessions(t *testing.T) {
	n := startNode(t, nil, config.Listener{Address: "127.0.0.1:0", Transport: config.Auto, Protocol: config.Auto})
	conn := dialNode(t, n)
	express, err := conn.OpenStream(reliable.Express)
	if err != nil {
		t.Fatal(err)
	}
	bulk, err := conn.OpenStream(reliable.Bulk)
	if err != nil {
		t.Fatal(err)
	}
	tcp, err := net.Dial("tcp", n.addrs[0].Addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	var readers []*bufio.Scanner
	for i, c := range []net.Conn{express, bulk, tcp, conn} {
		ip, port := "192.0.2.77", 9
		if c == conn {
			ip, port = "0", 0
		}
		fmt.Fprintf(c, "JOIN_CHATROOM: r\nCLIENT_IP: %s\nPORT: %d\nCLIENT_NAME: m%d\n", ip, port, i)
		in := bufio.NewScanner(c)
		awaitLine(t, in, "JOINED_CHATROOM: r")
		readers = append(readers, in)
	}
	fmt.Fprint(express, "DISCONNECT: 0\nPORT: 0\nCLIENT_NAME: m0\n")
	for _, in := range readers[1:] {
		awaitLine(t, in, "MESSAGE: m0 has left")
	}
	if s := n.server.Stats(); s.Accepted != 4 {
		t.Errorf("%d sessions, want 4", s.Accepted)
	}
}

// When the server stops it takes leave on streams as on connections.
func TestStopReachesStreams(t *testing.T) {
	n := startNode(t, nil, config.Listener{Address: "127.0.0.1:0", Transport: config.UDP, Protocol: config.Auto})
	s, err := dialNode(t, n).OpenStream(reliable.Express)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(s, "JOIN_CHATROOM: r\nCLIENT_IP: 0\nPORT: 0\nCLIENT_NAME: ann\n")
	in := bufio.NewScanner(s)
	awaitLine(t, in, "JOIN_ID:")
	if err := n.stop(context.Background()); err != nil {
		t.Error(err)
	}
	awaitLine(t, in, "ERROR_CODE: 11")
}
