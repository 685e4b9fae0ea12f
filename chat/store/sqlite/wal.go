package sqlite

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"os"
)

// The write-ahead log of SQLite (https://www.sqlite.org/fileformat2.html#walformat): a header, and frames of a header and
// a page each. A frame belongs to the log if it has the salt of the log's header and the right checksum, which goes on
// from the frame before. Older frames, of another salt, may follow.
const (
	walHeaderBytes   = 32
	frameHeaderBytes = 24
	walMagic         = 0x377f0682 // The last bit says that checksums are of big-endian words.
	pageBytesMax     = 64 << 10
)

// A walReport is what was found in a write-ahead log.
type walReport struct {
	bytes  int64 // How long the file is.
	good   int64 // Up to where it is whole, older frames included if nothing is broken.
	lost   int   // Ends of transactions in what is broken.
	header bool  // Its header is broken, so that nothing can be said of the rest.
}

// whole reports whether nothing is broken.
func (r walReport) whole() bool { return !r.header && r.good == r.bytes }

// readWAL looks through a write-ahead log. There need not be one.
func readWAL(path string) (walReport, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return walReport{}, nil
	}
	if err != nil {
		return walReport{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return walReport{}, err
	}
	r, err := scanWAL(bufio.NewReaderSize(f, 1<<20), info.Size())
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil // A frame that was cut short is what r says it is.
	}
	return r, err
}

// scanWAL is readWAL without the file. It returns io.EOF or io.ErrUnexpectedEOF at the end of src.
func scanWAL(src io.Reader, size int64) (walReport, error) {
	r := walReport{bytes: size}
	head := make([]byte, walHeaderBytes)
	if _, err := io.ReadFull(src, head); err != nil {
		return r, err
	}
	page := binary.BigEndian.Uint32(head[8:])
	s := walSum{order: binary.ByteOrder(binary.LittleEndian)}
	if head[3]&1 == 1 {
		s.order = binary.BigEndian
	}
	s.add(head[:24])
	if binary.BigEndian.Uint32(head)&^1 != walMagic || page > pageBytesMax || page%8 != 0 || !s.matches(head[24:]) {
		r.header = !isZero(head)
		return r, nil
	}
	r.good = walHeaderBytes
	frame := make([]byte, frameHeaderBytes+int(page))
	for broken, older := false, false; ; {
		if _, err := io.ReadFull(src, frame); err != nil {
			if older {
				r.good = size // Up to its end, which may be cut short.
			}
			return r, err
		}
		// Another generation has both halves of the salt different. With one of them it is ours, and damaged.
		ours := string(frame[8:12]) == string(head[16:20]) || string(frame[12:16]) == string(head[20:24])
		older = !ours && !broken
		if older {
			continue // Unless some of ours follow: then this was one of them.
		}
		s.add(frame[:8])
		s.add(frame[frameHeaderBytes:])
		broken = broken || string(frame[8:16]) != string(head[16:24]) || !s.matches(frame[16:])
		switch {
		case !broken:
			r.good += int64(len(frame))
		case ours && binary.BigEndian.Uint32(frame[4:]) != 0:
			r.lost++
		}
	}
}

// A walSum is the running checksum of a write-ahead log.
type walSum struct {
	order binary.ByteOrder
	a, b  uint32
}

// add goes on with b, whose length is a multiple of 8.
func (s *walSum) add(b []byte) {
	for ; len(b) >= 8; b = b[8:] {
		s.a += s.order.Uint32(b) + s.b
		s.b += s.order.Uint32(b[4:]) + s.a
	}
}

// matches reports whether the sum is the one that b begins with.
func (s *walSum) matches(b []byte) bool {
	return s.a == binary.BigEndian.Uint32(b) && s.b == binary.BigEndian.Uint32(b[4:])
}

func isZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
