package reliable_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"strings"

	"udpchat/reliable"
)

// A server with a key of its own, and a client that takes no other. Both ends are a net.Conn.
func Example() {
	id, err := reliable.NewIdentity(nil) // OpenIdentity keeps one in a file.
	if err != nil {
		log.Fatal(err)
	}
	server, err := reliable.Listen("127.0.0.1:0", reliable.Config{Identity: id})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	go func() {
		conn, err := server.Accept()
		if err != nil {
			log.Fatal(err)
		}
		defer conn.Close()
		io.Copy(conn, conn)
	}()

	conn, err := reliable.Dial(context.Background(), server.Addr().String(), reliable.Config{ServerKey: id.Key()})
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "hello")
	answer := make([]byte, len("hello"))
	if _, err := io.ReadFull(conn, answer); err != nil {
		log.Fatal(err)
	}
	stats := conn.Stats()
	fmt.Printf("%s: %d bytes sent, %d received\n", answer, stats.StreamBytesSent, stats.StreamBytesReceived)
	// Output: hello: 5 bytes sent, 5 received
}

// A file travels on a bulk stream of its own, and does not delay what the connection itself and express streams say.
func ExampleConn_OpenStream() {
	server, err := reliable.Listen("127.0.0.1:0", reliable.Config{Streams: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	go func() {
		conn, err := server.Accept()
		if err != nil {
			log.Fatal(err)
		}
		file, err := conn.(*reliable.Conn).AcceptStream(context.Background())
		if err != nil {
			log.Fatal(err)
		}
		n, err := io.Copy(io.Discard, file) // To the end of what the client writes.
		fmt.Fprintf(file, "%d bytes on a stream that is %v, %v", n, file.Lane(), err)
		file.Close()
	}()

	conn, err := reliable.Dial(context.Background(), server.Addr().String(), reliable.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	file, err := conn.OpenStream(reliable.Bulk)
	if err != nil {
		log.Fatal(err)
	}
	io.Copy(file, strings.NewReader(strings.Repeat("x", 100_000)))
	file.CloseWrite()
	answer, err := io.ReadAll(file)
	fmt.Printf("%s, %v\n", answer, err)
	// Output: 100000 bytes on a stream that is bulk, <nil>, <nil>
}

// Config.Trace is told of everything that happens to a connection; TraceTo writes all of it down, a line of JSON for each.
func ExampleConfig_trace() {
	server, err := reliable.Listen("127.0.0.1:0", reliable.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	ended := make(chan struct{})
	conn, err := reliable.Dial(context.Background(), server.Addr().String(), reliable.Config{Trace: func(e reliable.Event) {
		switch {
		case e.Name != reliable.EventState:
		case e.State == "hello", e.State == "open":
			fmt.Println(e.State)
		case e.State == "ended":
			fmt.Println(e.State+":", e.Err)
			close(ended)
		}
	}})
	if err != nil {
		log.Fatal(err)
	}
	conn.CloseWithReason(reliable.CodeApplication, "that is all")
	<-ended
	// Output:
	// hello
	// open
	// ended: reliable: connection closed: "that is all" (code 256)
}
