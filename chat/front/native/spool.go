package native

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	wire "udpchat/chat/wire/native"
)

// A digest is the SHA-256 a file is known by.
type digest [sha256.Size]byte

// id returns the name by which the engine knows the file.
func (d digest) id() string { return hex.EncodeToString(d[:]) }

// A spool keeps what has come of uploads, each in a file of its own that nobody but us names. Safe for concurrent use.
type spool struct {
	dir string // Constant.

	mu    sync.Mutex
	busy  map[string]*part // Parts under way, by their files. Guarded by mu.
	swept time.Time        // Guarded by mu.
}

const partSuffix = ".part"

// openSpool returns the spool in dir, which is made if need be.
func openSpool(dir string) (*spool, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("native: place for uploads: %w", err)
	}
	try := filepath.Join(dir, "try") // Better now than at the first upload.
	err := os.WriteFile(try, nil, 0o600)
	if err == nil {
		err = os.Remove(try)
	}
	if err != nil {
		return nil, fmt.Errorf("native: place for uploads: %w", err)
	}
	return &spool{dir: dir, busy: make(map[string]*part)}, nil
}

// owner begins the names of an account's files. Names of accounts are not names of files.
func owner(account string) string {
	sum := sha256.Sum256([]byte(account))
	return hex.EncodeToString(sum[:8]) + "-"
}

func partName(account string, d digest, size uint64) string {
	return owner(account) + d.id() + "-" + strconv.FormatUint(size, 10) + partSuffix
}

// have returns how much of an upload has come.
func (s *spool) have(account string, d digest, size uint64) (uint64, error) {
	info, err := os.Stat(filepath.Join(s.dir, partName(account, d, size)))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("native: upload so far: %w", err)
	}
	return min(uint64(info.Size()), size), nil
}

// reserved returns how many uploads of an account besides this one are unfinished, and how many bytes they will have.
func (s *spool) reserved(now time.Time, account string, d digest, size uint64) (parts int, bytes uint64, err error) {
	s.sweep(now)
	names, err := filepath.Glob(filepath.Join(s.dir, owner(account)+"*"+partSuffix))
	if err != nil {
		return 0, 0, fmt.Errorf("native: unfinished uploads: %w", err)
	}
	for _, name := range names {
		name = filepath.Base(name)
		if name == partName(account, d, size) {
			continue
		}
		_, digits, _ := strings.Cut(strings.TrimSuffix(name, partSuffix)[len(owner(account)):], "-")
		n, err := strconv.ParseUint(digits, 10, 63)
		if err != nil {
			continue // Not one of ours.
		}
		parts++
		bytes += n
	}
	return parts, bytes, nil
}

// sweep removes what nobody has gone on with for too long, once in a while.
func (s *spool) sweep(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.swept) < partsInterval {
		return
	}
	s.swept = now
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return // The next upload says what is wrong.
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !strings.HasSuffix(e.Name(), partSuffix) || s.busy[e.Name()] != nil || now.Sub(info.ModTime()) < partLife {
			continue
		}
		_ = os.Remove(filepath.Join(s.dir, e.Name())) // If it cannot be removed now, then in an hour.
	}
}

// A part is an upload under way. Owned by its session.
type part struct {
	spool  *spool
	name   string
	file   *os.File
	digest digest
	size   uint64
	offset uint64 // How much of it is there.

	evict func()        // Ends the session.
	done  chan struct{} // Closed when the part is free.
}

// begin goes on with an upload, or begins it. Nobody else can until close. Who uploads the same already is ended by its
// evict: as a rule it is the connection that the client has lost, and we have not noticed.
func (s *spool) begin(ctx context.Context, account string, d digest, size uint64, evict func()) (*part, error) {
	ctx, cancel := context.WithTimeout(ctx, evictTimeout)
	defer cancel()
	p := &part{spool: s, name: partName(account, d, size), digest: d, size: size, evict: evict, done: make(chan struct{})}
	for {
		other := s.claim(p)
		if other == nil {
			break
		}
		other.evict()
		select {
		case <-other.done:
		case <-ctx.Done():
			return nil, busy("this file is being uploaded already")
		}
	}
	if err := p.open(); err != nil {
		p.release()
		return nil, err
	}
	return p, nil
}

// claim makes p the one that is under way, unless there is another, which it returns.
func (s *spool) claim(p *part) (other *part) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if other := s.busy[p.name]; other != nil {
		return other
	}
	s.busy[p.name] = p
	return nil
}

func (p *part) open() error {
	f, err := os.OpenFile(filepath.Join(p.spool.dir, p.name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("native: upload: %w", err)
	}
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		_ = f.Close() // Nothing was written.
		return fmt.Errorf("native: upload: %w", err)
	}
	p.file, p.offset = f, min(uint64(end), p.size)
	return nil
}

// write adds data, which must begin where the part ends.
func (p *part) write(offset uint64, data []byte) error {
	if offset != p.offset {
		return refusef(wire.CodeOffset, "the next byte is %d", p.offset)
	}
	if uint64(len(data)) > p.size-p.offset {
		return refusef(wire.CodeChecksum, "the file was announced with %d bytes", p.size)
	}
	n, err := p.file.WriteAt(data, int64(offset))
	p.offset += uint64(n)
	if err != nil {
		return fmt.Errorf("native: upload: %w", err)
	}
	return nil
}

// errChecksum is what reader returns at the end if the bytes are others.
var errChecksum = refusef(wire.CodeChecksum, "the bytes are not the file that was announced")

// reader returns the bytes, to be stored. Instead of their end it returns errChecksum if they are not those of the digest.
func (p *part) reader() io.Reader {
	sum := sha256.New()
	bytes := io.TeeReader(io.NewSectionReader(p.file, 0, int64(p.size)), sum)
	return readerFunc(func(b []byte) (int, error) {
		n, err := bytes.Read(b)
		if err == io.EOF && digest(sum.Sum(nil)) != p.digest {
			err = errChecksum
		}
		return n, err
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// close ends the work on the part; what has come stays.
func (p *part) close() {
	_ = p.file.Close() // Bytes that were not written are asked for again.
	p.release()
}

// discard throws away what has come. close is still to be called.
func (p *part) discard() {
	_ = os.Remove(filepath.Join(p.spool.dir, p.name)) // If it stays it is removed when it is old.
}

func (p *part) release() {
	p.spool.mu.Lock()
	defer p.spool.mu.Unlock()
	delete(p.spool.busy, p.name)
	close(p.done)
}
