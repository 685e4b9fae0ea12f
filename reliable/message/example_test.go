package message_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"udpchat/reliable/message"
)

func Example() {
	var stream bytes.Buffer // A net.Conn, usually.
	w := message.NewWriter(&stream, message.Config{})
	for _, m := range []string{"hello", "", "world"} {
		if err := w.WriteMessage([]byte(m)); err != nil {
			fmt.Println(err)
		}
	}

	r := message.NewReader(&stream, message.Config{})
	defer r.Close()
	for {
		m, err := r.Next()
		if message.Refused(err) {
			fmt.Println("refused:", err) // Tell the peer; the stream goes on.
			continue
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%q\n", m)
	}
	// Output:
	// "hello"
	// ""
	// "world"
	// EOF
}

// A file passes without ever being in memory whole.
func ExampleReader_Begin() {
	var stream, file bytes.Buffer
	w := message.NewWriter(&stream, message.Config{MessageBytesMax: message.BytesMax})
	if err := w.WriteFrom(strings.NewReader(strings.Repeat("x", 5<<20)), 5<<20); err != nil {
		fmt.Println(err)
	}

	r := message.NewReader(&stream, message.Config{MessageBytesMax: message.BytesMax})
	defer r.Close()
	n, err := r.Begin()
	fmt.Println(n, err)
	_, err = io.Copy(&file, r)
	fmt.Println(file.Len(), err)
	// Output:
	// 5242880 <nil>
	// 5242880 <nil>
}

// An encoder that leaves room in front of the message needs no copy for the frame.
func ExampleFrame() {
	b := make([]byte, message.HeaderBytesMax, 100)
	b = append(b, "hello"...)
	fmt.Printf("%q\n", message.Frame(b))
	// Output: "\x05hello"
}

func ExampleDecoder() {
	d := message.NewDecoder(message.Config{})
	defer d.Close()
	for _, piece := range []string{"\x05he", "llo\x05wor", "ld"} {
		d.Feed([]byte(piece))
		for {
			m, ok, err := d.Next()
			if err != nil {
				fmt.Println(err)
				return
			}
			if !ok {
				break
			}
			fmt.Printf("%s\n", m)
		}
	}
	fmt.Println(d.End())
	// Output:
	// hello
	// world
	// <nil>
}
