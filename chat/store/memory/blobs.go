package memory

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"sync"

	"udpchat/chat"
)

// blobs are the files of an engine.
type blobs struct {
	bytesMax int64 // Constant.

	mu     sync.Mutex
	byID   map[string]blob // Guarded by mu.
	bytes  int64           // What the files take, and those being read. Guarded by mu.
	closed bool            // Guarded by mu.
}

// A blob is a file in pieces of chunkBytes, only the last of which may be shorter. Its content
// never changes, so readers need no lock.
type blob struct {
	chunks [][]byte
	size   int64
}

// PutBlob implements chat.Engine. What it has read counts against the quota while it reads.
func (e *Engine) PutBlob(ctx context.Context, r io.Reader) (id string, size int64, err error) {
	bs := &e.blobs
	if err := bs.reserve(blobBytes); err != nil {
		return "", 0, err
	}
	b, id, err := bs.read(ctx, r)
	if err != nil {
		bs.release(blobBytes + b.size)
		return "", 0, err
	}
	bs.mu.Lock()
	defer bs.mu.Unlock()
	if bs.closed {
		return "", 0, errClosed()
	}
	if _, ok := bs.byID[id]; ok {
		bs.bytes -= blobBytes + b.size
		return id, b.size, nil
	}
	bs.byID[id] = b
	return id, b.size, nil
}

// read reads a file whole. What it returns is reserved, also if there was an error.
func (bs *blobs) read(ctx context.Context, r io.Reader) (b blob, id string, err error) {
	hash := sha256.New()
	buf := make([]byte, chunkBytes)
	for {
		if ctx.Err() != nil {
			return b, "", fmt.Errorf("memory: reading a file: %w", context.Cause(ctx))
		}
		n, err := fill(r, buf)
		if n > 0 {
			if err := bs.reserve(int64(n)); err != nil {
				return b, "", err
			}
			hash.Write(buf[:n])
			b.chunks = append(b.chunks, bytes.Clone(buf[:n]))
			b.size += int64(n)
		}
		switch err {
		case nil:
		case io.EOF:
			return b, hex.EncodeToString(hash.Sum(nil)), nil
		default:
			return b, "", fmt.Errorf("memory: reading a file: %w", err)
		}
	}
}

// fill reads until buf is full or r has no more. Unlike io.ReadFull it returns the error of r
// itself: a reader whose source broke off says io.ErrUnexpectedEOF, and must not be taken for one
// that has come to its end.
func fill(r io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var m int
		m, err = r.Read(buf[n:])
		n += m
	}
	return n, err
}

// reserve takes n bytes of the quota.
func (bs *blobs) reserve(n int64) error {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	switch {
	case bs.closed:
		return errClosed()
	case bs.bytes+n > bs.bytesMax:
		return fmt.Errorf("memory: files take more than %d bytes: %w", bs.bytesMax, chat.ErrFull)
	}
	bs.bytes += n
	return nil
}

// release gives n bytes of the quota back.
func (bs *blobs) release(n int64) {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	bs.bytes -= n
}

// GetBlob implements chat.Engine. What it returns can be read after DropBlob and Close, too.
func (e *Engine) GetBlob(_ context.Context, id string, off int64) (io.ReadCloser, error) {
	bs := &e.blobs
	bs.mu.Lock()
	defer bs.mu.Unlock()
	b, ok := bs.byID[id]
	switch {
	case bs.closed:
		return nil, errClosed()
	case !ok:
		return nil, fmt.Errorf("memory: get file %q: %w", id, chat.ErrNotFound)
	case off < 0 || off > b.size:
		return nil, fmt.Errorf("memory: get file %q: no byte %d in %d", id, off, b.size)
	}
	return &blobReader{b, off}, nil
}

// DropBlob implements chat.Engine.
func (e *Engine) DropBlob(_ context.Context, id string) error {
	bs := &e.blobs
	bs.mu.Lock()
	defer bs.mu.Unlock()
	b, ok := bs.byID[id]
	switch {
	case bs.closed:
		return errClosed()
	case !ok:
		return fmt.Errorf("memory: drop file %q: %w", id, chat.ErrNotFound)
	}
	delete(bs.byID, id)
	bs.bytes -= blobBytes + b.size
	return nil
}

func (bs *blobs) close() {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	bs.byID, bs.closed = nil, true
}

// A blobReader reads a file from off on. It is for one goroutine.
type blobReader struct {
	blob
	off int64
}

// Read implements io.Reader.
func (r *blobReader) Read(p []byte) (int, error) {
	if r.off >= r.size {
		return 0, io.EOF
	}
	n := copy(p, r.chunks[r.off/chunkBytes][r.off%chunkBytes:])
	r.off += int64(n)
	return n, nil
}

// Close implements io.Closer. There is nothing to close.
func (r *blobReader) Close() error { return nil }
