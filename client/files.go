package client

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"udpchat/chat/wire/native"
)

// Upload gives the server the file at path, which Announce then tells others of. It goes on by itself where it stopped, also
// if it is called again after an end of the program. progress, which may be nil, is called with how many bytes the server
// has, or is being sent; it must not block. The error is a native.Error if the server does not want the file.
func (c *Client) Upload(ctx context.Context, path string, progress func(done, size int64)) (*File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("client: uploading: %w", err)
	}
	defer file.Close()
	f, err := describe(ctx, file)
	if err == nil {
		err = c.persist(ctx, func() (int64, error) { return c.uploadOnce(ctx, file, f, progress) })
	}
	if err != nil {
		return nil, fmt.Errorf("client: uploading %s: %w", path, err)
	}
	return f, nil
}

// describe reads a file once to know its digest.
func describe(ctx context.Context, file *os.File) (*File, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	h := sha256.New()
	size, err := io.Copy(h, &interruptible{ctx, file})
	if err != nil {
		return nil, err
	}
	return &File{
		SHA256: [native.DigestBytes]byte(h.Sum(nil)), Size: size, Name: plainName(file.Name()),
		Type: mime.TypeByExtension(filepath.Ext(file.Name())),
	}, nil
}

// plainName returns the last part of a path as a file is announced: UTF-8, and not longer than a name may be.
func plainName(path string) string {
	name := strings.ToValidUTF8(filepath.Base(path), "_")
	for len(name) > native.FileNameMax {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	return name
}

// An interruptible reader ends with its context.
type interruptible struct {
	ctx context.Context
	r   io.Reader
}

func (i *interruptible) Read(p []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, err
	}
	return i.r.Read(p)
}

// uploadOnce makes one attempt and returns how far the file has come.
func (c *Client) uploadOnce(ctx context.Context, src io.ReaderAt, f *File, progress func(done, size int64)) (int64, error) {
	ticket, err := do[native.Ticket](ctx, c, native.Upload{Digest: f.SHA256[:], Size: uint64(f.Size)}, true)
	if err != nil {
		return 0, err
	}
	if ticket.Token == "" { // The server has it.
		report(progress, f.Size, f.Size)
		return f.Size, nil
	}
	t, err := c.transfer(ctx, native.Transfer{Token: ticket.Token})
	if err != nil {
		return 0, err
	}
	defer t.end()
	at := int64(t.what.Offset)
	if !t.what.Upload || t.what.Offset > uint64(f.Size) {
		return 0, errNonsense
	}
	refused := t.listen()
	buf := make([]byte, native.ChunkBytesMax)
	for at < f.Size {
		n, err := src.ReadAt(buf[:min(int64(len(buf)), f.Size-at)], at)
		if n == 0 {
			return at, fmt.Errorf("reading the file: %w", err) // It has become shorter.
		}
		if err := t.send(0, native.Chunk{Offset: uint64(at), Data: buf[:n]}); err != nil {
			return at, firstOf(refused, err)
		}
		at += int64(n)
		report(progress, at, f.Size)
	}
	if err := t.send(1, native.Finish{}); err != nil {
		return at, firstOf(refused, err)
	}
	select {
	case err := <-refused: // Of the server's one answer, which may be that all is well.
		return at, err
	case <-ctx.Done():
		return at, ctx.Err()
	}
}

// firstOf returns why the server has broken off, if it has said so, else err.
func firstOf(refused <-chan error, err error) error {
	select {
	case why := <-refused:
		if _, ok := errors.AsType[native.Error](why); ok {
			return why
		}
	case <-time.After(refusalWait):
	}
	return err
}

// Download fetches the file that an event of a log has announced, and stores it at path, where there must be none. What has
// come before it was broken off lies beside path, in a file ending in .part, and is not fetched again. Only a file with
// the right digest gets the name path. progress is as for Upload.
func (c *Client) Download(ctx context.Context, log string, seq uint64, path string, progress func(done, size int64)) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("client: downloading to %s: %w", path, fs.ErrExist)
	}
	err := c.persist(ctx, func() (int64, error) { return c.downloadOnce(ctx, log, seq, path, progress) })
	if err != nil {
		return fmt.Errorf("client: downloading to %s: %w", path, err)
	}
	return nil
}

// downloadOnce makes one attempt and returns how far the file has come.
func (c *Client) downloadOnce(ctx context.Context, log string, seq uint64, path string, progress func(done, size int64)) (int64, error) {
	ticket, err := do[native.Ticket](ctx, c, native.Download{Log: log, Seq: seq}, true)
	if err != nil {
		return 0, err
	}
	if len(ticket.Digest) != native.DigestBytes || ticket.Size > native.FileBytesMax {
		return 0, errNonsense
	}
	partPath := fmt.Sprintf("%s.%x.part", path, ticket.Digest[:4])
	part, err := os.OpenFile(partPath, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return 0, localError{err}
	}
	defer part.Close() // Closed below when it counts.
	h := sha256.New()
	at, err := io.Copy(h, &interruptible{ctx, io.LimitReader(part, int64(ticket.Size))})
	if err != nil {
		return 0, localError{err}
	}
	if at < int64(ticket.Size) || ticket.Size == 0 {
		if at, err = c.fetch(ctx, ticket, io.MultiWriter(part, h), at, progress); err != nil {
			if e, ok := errors.AsType[*os.PathError](err); ok {
				err = localError{e} // A full disk, perhaps: what has come stays.
			}
			return at, err
		}
	}
	if !bytes.Equal(h.Sum(nil), ticket.Digest) {
		return 0, errors.Join(errDigest, part.Close(), os.Remove(partPath))
	}
	if err := errors.Join(part.Truncate(at), part.Sync(), part.Close()); err != nil {
		return at, localError{err}
	}
	if err := os.Link(partPath, path); err == nil { // Unlike Rename it does not replace a file made meanwhile.
		return at, localError{os.Remove(partPath)}.orNil()
	} else if errors.Is(err, fs.ErrExist) {
		return at, localError{err}
	}
	return at, localError{os.Rename(partPath, path)}.orNil() // Not every file system has links.
}

// fetch takes a file's bytes from at on and returns how far it came.
func (c *Client) fetch(ctx context.Context, ticket native.Ticket, dst io.Writer, at int64, progress func(done, size int64)) (int64, error) {
	t, err := c.transfer(ctx, native.Transfer{Token: ticket.Token, Offset: uint64(at)})
	if err != nil {
		return at, err
	}
	defer t.end()
	size := int64(ticket.Size)
	if t.what.Upload || t.what.Offset != uint64(at) {
		return at, errNonsense
	}
	for {
		reply, err := t.next()
		if err != nil {
			return at, err
		}
		switch r := reply.(type) {
		case native.Chunk:
			if r.Offset != uint64(at) || int64(len(r.Data)) > size-at || len(r.Data) == 0 {
				return at, errNonsense
			}
			n, err := dst.Write(r.Data)
			at += int64(n)
			if err != nil {
				return at, err
			}
			report(progress, at, size)
		case native.Finish:
			if at != size {
				return at, io.ErrUnexpectedEOF
			}
			return at, nil
		}
	}
}

func report(progress func(done, size int64), done, size int64) {
	if progress != nil {
		progress(done, size)
	}
}

var (
	errNonsense = errors.New("the server's answer makes no sense")
	errDigest   = errors.New("the bytes that came are not the file that was announced")
)

// A localError is one of this machine, which another attempt does not change.
type localError struct{ error }

func (f localError) Unwrap() error { return f.error }

func (f localError) orNil() error {
	if f.error == nil {
		return nil
	}
	return f
}

// persist makes attempts until one succeeds, fails for good, or transferTriesMax in a row have come no further.
func (c *Client) persist(ctx context.Context, attempt func() (int64, error)) error {
	var b backoff
	most, tries := int64(-1), 0
	for {
		at, err := attempt()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if tries++; at > most {
			most, tries = at, 1
			b.succeed()
		}
		var wait time.Duration
		if e, refused := errors.AsType[native.Error](err); refused {
			if !passing(e.Code) {
				return err
			}
			wait = e.RetryAfter.Duration()
		}
		if _, ours := errors.AsType[localError](err); ours || tries >= transferTriesMax || errors.Is(err, ErrClosed) {
			return err
		}
		c.mu.Lock()
		wait = max(wait, b.next(c.m.rng))
		c.mu.Unlock()
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		case <-c.ended:
			return c.closedErr()
		}
	}
}

// passing reports whether a transfer that was refused may succeed with another ticket.
func passing(code native.Code) bool {
	switch code {
	case native.CodeRateLimited, native.CodeUnavailable, native.CodeShuttingDown, native.CodeInternal, native.CodeBadToken,
		native.CodeChecksum, native.CodeOffset, native.CodeTooSlow, native.CodeTooMany:
		return true
	}
	return false
}
