package message

import (
	"errors"
	"io"
	"runtime"
	"testing"
)

// huge is what a client of files is configured with.
func huge(b *Budget) Config { return Config{MessageBytesMax: BytesMax, Budget: b} }

// heapBytes returns what is in use on the heap after a collection.
func heapBytes() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// TestMemoryOfAnnouncements: a thousand peers announce 64 MiB each and send 100 bytes. They hold their streams' buffers
// and nothing of the budget.
func TestMemoryOfAnnouncements(t *testing.T) {
	const peers = 1000
	budget := NewBudget(0)
	in := append(appendLength(nil, BytesMax), text(100)...)
	var readers []*Reader
	var decoders []*Decoder
	before := heapBytes()
	for range peers {
		r := NewReader(&pieces{list: [][]byte{in}, late: true}, huge(budget))
		for range 3 { // Timeout, bytes, timeout.
			if _, err := r.Next(); err == nil || errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("got %v, want a timeout", err)
			}
			if r.end-r.start == 100 {
				break
			}
		}
		readers = append(readers, r)
		d := NewDecoder(huge(budget))
		d.Feed(in)
		if _, ok, err := d.Next(); ok || err != nil {
			t.Fatalf("got %v, %v; want to wait", ok, err)
		}
		decoders = append(decoders, d)
	}
	// Each has a buffer of 512 bytes and a few hundred of its own.
	if got, want := heapBytes()-before, peers*2*1200; got > want {
		t.Errorf("%d announcements hold %d bytes, want at most %d", 2*peers, got, want)
	}
	if held := budget.Stats().HeldBytes; held != 0 {
		t.Errorf("they hold %d bytes of the budget, want 0", held)
	}
	runtime.KeepAlive(readers)
	runtime.KeepAlive(decoders)
}

// TestMemoryOfSlowDrip: while a long message comes in small pieces, what is held stays below twice the bytes that came,
// and the budget knows all of it.
func TestMemoryOfSlowDrip(t *testing.T) {
	const pieceBytes = 100
	budget := NewBudget(0)
	length := 3<<20 + 17
	in := Append(nil, text(length))
	d := NewDecoder(huge(budget))
	defer d.Close()
	done := false
	for fed := 0; fed < len(in); fed += pieceBytes {
		d.Feed(in[fed:min(len(in), fed+pieceBytes)])
		_, ok, err := d.Next()
		if err != nil {
			t.Fatal(err)
		}
		done = done || ok
		held, bound := budget.Stats().HeldBytes, 2*int64(max(fed+pieceBytes, BufferBytesDefault))
		if held > bound {
			t.Fatalf("%d bytes came, %d are held, want at most %d", fed, held, bound)
		}
		if fed+pieceBytes <= BufferBytesDefault && held != 0 {
			t.Fatalf("%d bytes came and %d are charged; they fit into the buffer", fed, held)
		}
		if got := int64(cap(d.hold.buf)); got != held && held != 0 {
			t.Fatalf("an array of %d bytes is charged with %d", got, held)
		}
	}
	if !done {
		t.Fatal("the message did not come out")
	}
	if held := budget.Stats().HeldBytes; held != int64(length) {
		t.Errorf("the message handed out is charged with %d bytes, want %d", held, length)
	}
	if _, ok, err := d.Next(); ok || err != nil {
		t.Fatal("something follows")
	}
	if held := budget.Stats().HeldBytes; held != 0 {
		t.Errorf("%d bytes held behind the message, want 0", held)
	}
}

// TestMemoryOfLongestMessage: one and a half times its length is enough, a byte less is not.
func TestMemoryOfLongestMessage(t *testing.T) {
	const length = 8 << 20
	for _, test := range []struct {
		bytesMax int64
		want     error
	}{{length * 3 / 2, nil}, {length*3/2 - 1, ErrBudget}} {
		r := NewReader(&pieces{list: [][]byte{stream(length)}}, huge(NewBudget(test.bytesMax)))
		if _, err := r.Next(); !errors.Is(err, test.want) {
			t.Errorf("budget of %d bytes: got %v, want %v", test.bytesMax, err, test.want)
		}
		r.Close()
	}
}

// TestMemoryOfStreamedMessage: 64 MiB pass through Writer and Reader while the process holds less than one.
func TestMemoryOfStreamedMessage(t *testing.T) {
	budget := NewBudget(1)
	src, dst := io.Pipe()
	done := make(chan error, 1)
	before := heapBytes()
	go func() { // Ends when all is written; the channel is waited for.
		done <- NewWriter(dst, huge(nil)).WriteFrom(endless{}, BytesMax)
	}()
	r := NewReader(src, huge(budget))
	defer r.Close()
	if n, err := r.Begin(); n != BytesMax || err != nil {
		t.Fatalf("got %d, %v; want %d", n, err, BytesMax)
	}
	if _, err := io.CopyN(io.Discard, r, BytesMax/2); err != nil {
		t.Fatal(err)
	}
	if got := heapBytes() - before; got > 1<<20 {
		t.Errorf("half way %d bytes are held, want less than 1 MiB", got)
	}
	if n, err := io.Copy(io.Discard, r); n != BytesMax/2 || err != nil {
		t.Errorf("got %d more bytes, %v; want %d", n, err, BytesMax/2)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// endless is a reader of zeros.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestArrayBytes(t *testing.T) {
	for _, length := range []int{513, 1000, 1024, 4097, 65535, 1 << 20, BytesMax} {
		for n := 1; n <= length; n += max(1, n/7) {
			got := arrayBytes(n, length, 512)
			if got < max(n, 512) || got > length || got > 2*max(n, 512) {
				t.Fatalf("%d of %d bytes: an array of %d", n, length, got)
			}
		}
		if got := arrayBytes((length+1)/2+1, length, 512); got != length {
			t.Errorf("more than half of %d bytes: an array of %d", length, got)
		}
	}
}

func TestSmallMessagesAreReceivedWithoutAllocation(t *testing.T) {
	in := stream(200)
	src := &pieces{list: make([][]byte, 1)}
	r := NewReader(src, Config{})
	d := NewDecoder(Config{})
	w := NewWriter(io.Discard, Config{})
	m := text(200)
	for name, f := range map[string]func(){
		"Reader": func() {
			src.list = src.list[:1]
			src.list[0] = in
			if _, err := r.Next(); err != nil {
				t.Fatal(err)
			}
		},
		"Decoder, whole": func() {
			d.Feed(in)
			if _, ok, err := d.Next(); !ok || err != nil {
				t.Fatal(ok, err)
			}
		},
		"Decoder, in two pieces": func() {
			for i, piece := range [][]byte{in[:77], in[77:]} {
				d.Feed(piece)
				if _, ok, err := d.Next(); ok != (i == 1) || err != nil {
					t.Fatal(ok, err)
				}
			}
		},
		"Writer": func() {
			if err := w.WriteMessage(m); err != nil {
				t.Fatal(err)
			}
		},
	} {
		if got := testing.AllocsPerRun(100, f); got != 0 {
			t.Errorf("%s: %v allocations a message, want 0", name, got)
		}
	}
}
