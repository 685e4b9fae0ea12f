package jetstream

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"udpchat/chat"
)

// PutBlob implements chat.Engine. It has one piece in memory at a time.
func (e *Engine) PutBlob(ctx context.Context, r io.Reader) (id string, size int64, err error) {
	num := rand.Text()
	upload, err := e.beginUpload(ctx, num)
	if err != nil {
		return "", 0, fail("put file", err)
	}
	hash := sha256.New()
	if size, err = e.putPieces(ctx, num, io.TeeReader(r, hash)); err == nil {
		id = hex.EncodeToString(hash.Sum(nil))
		_, err = e.put(ctx, e.names.blob(id), fmt.Appendf(nil, "%s %d", num, size), 0)
		if err == nil {
			err = e.remove(ctx, e.names.recordStream(), upload)
		}
	}
	if err == nil {
		return id, size, nil
	}
	// What nobody needs is given back, whatever became of ctx.
	dropErr := e.dropPieces(context.WithoutCancel(ctx), num, upload)
	if errors.Is(err, errConflict) { // There is such a file already.
		return id, size, fail("put file", dropErr)
	}
	return "", 0, fail("put file", err)
}

// beginUpload writes down that there will be pieces of no file.
func (e *Engine) beginUpload(ctx context.Context, num string) (rev uint64, err error) {
	if err := e.enter(); err != nil {
		return 0, err
	}
	defer e.calls.Done()
	return e.put(ctx, e.names.upload(num), strconv.AppendInt(nil, time.Now().Unix(), 10), 0)
}

// putPieces stores what r has.
func (e *Engine) putPieces(ctx context.Context, num string, r io.Reader) (size int64, err error) {
	for n := int64(0); ; n++ {
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		buf := make([]byte, chunkBytes)
		got, err := fill(r, buf)
		if err != nil && err != io.EOF {
			return 0, fmt.Errorf("reading it: %w", err)
		}
		if size += int64(got); size > e.cfg.BlobBytesMax {
			return 0, fmt.Errorf("more than %d bytes: %w", e.cfg.BlobBytesMax, chat.ErrTooLarge)
		}
		if got > 0 {
			if err := e.putPiece(ctx, num, n, buf[:got]); err != nil {
				return 0, err
			}
		}
		if err == io.EOF {
			return size, nil
		}
	}
}

func (e *Engine) putPiece(ctx context.Context, num string, n int64, data []byte) error {
	if err := e.enter(); err != nil {
		return err
	}
	defer e.calls.Done()
	return e.retry(ctx, func(ctx context.Context) error {
		m := nats.NewMsg(e.names.pieceOf(num, n))
		m.Data = data
		_, _, err := e.publish(ctx, m, m.Subject, 0)
		return err
	})
}

// dropPieces gives back the pieces of an upload, and then what was written down about it.
func (e *Engine) dropPieces(ctx context.Context, num string, upload uint64) error {
	err := e.purge(ctx, e.names.fileStream(), e.names.file(num, "*"), 0)
	if err == nil {
		err = e.remove(ctx, e.names.recordStream(), upload)
	}
	if errors.Is(err, errNone) {
		return nil
	}
	return err
}

// sweep gives back what nodes that died left of uploads.
func (e *Engine) sweep(ctx context.Context) error {
	subjects, err := e.subjects(ctx, e.names.upload(">"))
	if err != nil {
		return err
	}
	for _, subject := range subjects {
		m, err := e.ask(ctx, e.names.recordStream(), question{Last: subject})
		if errors.Is(err, errNone) {
			continue
		}
		if err != nil {
			return err
		}
		began, err := strconv.ParseInt(string(m.data), 10, 64)
		if err != nil || time.Since(time.Unix(began, 0)) > uploadAge {
			if err := e.dropPieces(ctx, strings.TrimPrefix(subject, e.names.upload("")), m.seq); err != nil {
				return err
			}
		}
	}
	return nil
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

// blob finds out where the pieces of a file are.
func (e *Engine) blob(ctx context.Context, id string) (num string, size int64, rev uint64, err error) {
	if b, err := hex.DecodeString(id); err != nil || len(b) != sha256.Size {
		return "", 0, 0, chat.ErrNotFound
	}
	m, err := e.ask(ctx, e.names.recordStream(), question{Last: e.names.blob(id)})
	if errors.Is(err, errNone) {
		return "", 0, 0, chat.ErrNotFound
	}
	if err != nil {
		return "", 0, 0, err
	}
	_, err = fmt.Sscanf(string(m.data), "%s %d", &num, &size)
	return num, size, m.seq, err
}

// GetBlob implements chat.Engine. A file that is dropped while it is read ends with an error. Reading it waits for the
// cluster as long as ctx allows.
func (e *Engine) GetBlob(ctx context.Context, id string, off int64) (io.ReadCloser, error) {
	if err := e.enter(); err != nil {
		return nil, err
	}
	defer e.calls.Done()
	num, size, _, err := e.blob(ctx, id)
	if err == nil && (off < 0 || off > size) {
		err = fmt.Errorf("no byte %d in %d", off, size)
	}
	if err != nil {
		return nil, fail(fmt.Sprintf("get file %.80q", id), err)
	}
	fetch := func(n int64) ([]byte, error) { return e.piece(ctx, num, n) }
	return &blobReader{fetch: fetch, off: off, size: size}, nil
}

// piece reads one piece of a file.
func (e *Engine) piece(ctx context.Context, num string, n int64) ([]byte, error) {
	if err := e.enter(); err != nil {
		return nil, err
	}
	defer e.calls.Done()
	m, err := e.ask(ctx, e.names.fileStream(), question{Last: e.names.pieceOf(num, n)})
	if errors.Is(err, errNone) {
		err = fmt.Errorf("it was dropped meanwhile: %w", chat.ErrNotFound)
	}
	return m.data, fail("reading a file", err)
}

// A blobReader reads a file from off on, a piece at a time. It is for one goroutine.
type blobReader struct {
	fetch     func(n int64) ([]byte, error)
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
		n := r.off / chunkBytes
		data, err := r.fetch(n)
		if err != nil {
			return 0, err
		}
		if int64(len(data)) != min(chunkBytes, r.size-n*chunkBytes) {
			return 0, fmt.Errorf("jetstream: reading a file: a piece has %d bytes", len(data))
		}
		r.rest = data[r.off%chunkBytes:]
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	r.off += int64(n)
	return n, nil
}

// Close implements io.Closer. There is nothing to close.
func (r *blobReader) Close() error { return nil }

// DropBlob implements chat.Engine.
func (e *Engine) DropBlob(ctx context.Context, id string) error {
	if err := e.enter(); err != nil {
		return err
	}
	defer e.calls.Done()
	num, _, rev, err := e.blob(ctx, id)
	if err == nil {
		err = e.remove(ctx, e.names.recordStream(), rev)
	}
	if errors.Is(err, errNone) {
		err = chat.ErrNotFound
	}
	if err == nil {
		err = e.purge(ctx, e.names.fileStream(), e.names.file(num, "*"), 0)
	}
	return fail(fmt.Sprintf("drop file %.80q", id), err)
}
