package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"

	"udpchat/chat"
)

// PutBlob implements chat.Engine. It has one piece in memory at a time.
func (e *Engine) PutBlob(ctx context.Context, r io.Reader) (id string, size int64, err error) {
	w := e.writer
	var num int64
	// Not with ctx, because whatever number there is then has to be given back.
	err = w.do(context.WithoutCancel(ctx), "put file", 0, func(t *txn) error {
		_, num = t.exec(stAddUpload)
		w.active.add(num) // Before it is committed, so that the sweeper never sees one that nobody works on.
		return t.broken
	})
	defer func() {
		w.active.remove(num)
		w.wakeSweeper() // Unless it became a file of its own, its pieces are to be given back.
	}()
	if err != nil {
		return "", 0, err
	}
	hash := sha256.New()
	if size, err = e.putChunks(ctx, num, io.TeeReader(r, hash)); err != nil {
		return "", 0, err
	}
	err = w.do(ctx, "put file", 0, func(t *txn) error {
		var old, oldSize int64
		if key := hash.Sum(nil); !t.row(stBlob, []any{key}, &old, &oldSize) {
			t.exec(stAddBlob, key, num, size, sumBlob(key, num, size))
			t.exec(stDropUpload, num)
		}
		return t.broken
	})
	if err != nil {
		return "", 0, err
	}
	return hex.EncodeToString(hash.Sum(nil)), size, nil
}

// putChunks stores what r has as the pieces of num.
func (e *Engine) putChunks(ctx context.Context, num int64, r io.Reader) (size int64, err error) {
	buf := make([]byte, chunkBytes)
	for n := int64(0); ; n++ {
		if ctx.Err() != nil {
			return 0, fail("put file", context.Cause(ctx))
		}
		got, err := fill(r, buf)
		if err != nil && err != io.EOF {
			return 0, fail("put file: reading it", err)
		}
		if size += int64(got); size > e.cfg.BlobBytesMax {
			return 0, fail("put file", fmt.Errorf("more than %d bytes: %w", e.cfg.BlobBytesMax, chat.ErrTooLarge))
		}
		if got > 0 {
			data := append([]byte{}, buf[:got]...) // The writer may have it for longer than we do, if ctx ends.
			doErr := e.writer.do(ctx, "put file", got, func(t *txn) error {
				t.exec(stAddChunk, num, n, data, sumChunk(num, n, data))
				return t.broken
			})
			if doErr != nil {
				return 0, doErr
			}
		}
		if err == io.EOF {
			return size, nil
		}
	}
}

// fill reads until buf is full or r has no more. Unlike io.ReadFull it returns the error of r itself: a reader whose
// source broke off says io.ErrUnexpectedEOF, and must not be taken for one that has come to its end.
func fill(r io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var m int
		m, err = r.Read(buf[n:])
		n += m
	}
	return n, err
}

// GetBlob implements chat.Engine. A file that is dropped while it is read ends with an error.
func (e *Engine) GetBlob(ctx context.Context, id string, off int64) (io.ReadCloser, error) {
	if err := e.enter(); err != nil {
		return nil, err
	}
	defer e.calls.Done()
	key, err := hex.DecodeString(id)
	r := &blobReader{engine: e, off: off}
	if err == nil {
		err = e.reader.st[qBlob].QueryRowContext(ctx, key).Scan(&r.num, &r.size)
	}
	var bad hex.InvalidByteError
	switch {
	case errors.Is(err, sql.ErrNoRows), errors.Is(err, hex.ErrLength), errors.As(err, &bad):
		return nil, fmt.Errorf("sqlite: get file %q: %w", id, chat.ErrNotFound)
	case err != nil:
		return nil, e.failRead("get file", err)
	case off < 0 || off > r.size:
		return nil, fmt.Errorf("sqlite: get file %q: no byte %d in %d", id, off, r.size)
	}
	return r, nil
}

// A blobReader reads a file from off on, a piece at a time. It is for one goroutine.
type blobReader struct {
	engine    *Engine
	num       int64
	off, size int64
	rest      []byte // What is left of the piece that was read last.
}

// Read implements io.Reader.
func (r *blobReader) Read(p []byte) (int, error) {
	if r.off >= r.size {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	if len(r.rest) == 0 {
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	r.off += int64(n)
	return n, nil
}

// next reads the piece that off is in.
func (r *blobReader) next() error {
	if err := r.engine.enter(); err != nil {
		return err
	}
	defer r.engine.calls.Done()
	n := r.off / chunkBytes
	var data []byte
	var want int64
	err := r.engine.reader.st[qChunk].QueryRow(r.num, n).Scan(&data, &want)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return fail("reading a file", fmt.Errorf("it was dropped meanwhile: %w", chat.ErrNotFound))
	case err != nil:
		return r.engine.failRead("reading a file", err)
	case sumChunk(r.num, n, data) != want || int64(len(data)) != min(chunkBytes, r.size-n*chunkBytes):
		return r.engine.failRead("reading a file", fmt.Errorf("%w: a piece is not what was written", ErrDamaged))
	}
	r.rest = data[r.off%chunkBytes:]
	return nil
}

// Close implements io.Closer. There is nothing to close.
func (r *blobReader) Close() error { return nil }

// sumBlob is the checksum of where a file is.
func sumBlob(id []byte, num, size int64) int64 {
	var b [16]byte
	binary.BigEndian.PutUint64(b[0:], uint64(num))
	binary.BigEndian.PutUint64(b[8:], uint64(size))
	return sum(b[:], id)
}

// sumChunk is the checksum of a piece of a file.
func sumChunk(num, n int64, data []byte) int64 {
	var b [16]byte
	binary.BigEndian.PutUint64(b[0:], uint64(num))
	binary.BigEndian.PutUint64(b[8:], uint64(n))
	return sum(b[:], data)
}

// DropBlob implements chat.Engine. The file is gone at once; its space is given back little by little.
func (e *Engine) DropBlob(ctx context.Context, id string) error {
	if err := e.enter(); err != nil {
		return err
	}
	defer e.calls.Done()
	key, err := hex.DecodeString(id)
	if err != nil {
		return fmt.Errorf("sqlite: drop file %q: %w", id, chat.ErrNotFound)
	}
	defer e.writer.wakeSweeper()
	return e.writer.do(ctx, "drop file", 0, func(t *txn) error {
		var num, size int64
		if !t.row(stBlob, []any{key}, &num, &size) {
			if t.broken != nil {
				return t.broken
			}
			return chat.ErrNotFound
		}
		t.exec(stDropBlob, key)
		t.exec(stReturnUpload, num)
		return t.broken
	})
}

// uploads are the nums of files that are being stored: the sweeper must not take them.
type uploads struct {
	mu   sync.Mutex
	nums map[int64]bool // Guarded by mu.
}

func (u *uploads) add(num int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.nums[num] = true
}

func (u *uploads) remove(num int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.nums, num)
}

func (u *uploads) has(num int64) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.nums[num]
}
