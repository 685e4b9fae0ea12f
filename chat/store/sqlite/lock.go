package sqlite

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// lockTextMax is how much of a lock file is read.
const lockTextMax = 256

// A lock keeps a second process out of a data directory. The system holds it for us and lets it go when the process ends,
// however it ends. The file says who has it, and is empty after a proper end.
type lock struct{ f *os.File }

// takeLock locks path for a process that writes with that durability. last is what the last holder wrote with if it did not
// give the lock back properly, else empty.
func takeLock(path string, d Durability) (l *lock, last string, err error) {
	f, err := openLocked(path)
	if errors.Is(err, errLocked) {
		return nil, "", fmt.Errorf("%w by %s", ErrInUse, holder(path))
	}
	if err != nil {
		return nil, "", err
	}
	old, err := io.ReadAll(io.LimitReader(f, lockTextMax))
	if words := strings.Fields(string(old)); len(words) > 0 {
		last = words[len(words)-1]
	}
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = fmt.Fprintf(io.NewOffsetWriter(f, 0), "process %d since %s, %v\n", os.Getpid(), time.Now().Format(time.RFC3339), d)
	}
	if err != nil {
		return nil, "", errors.Join(err, f.Close())
	}
	return &lock{f}, last, nil
}

// holder returns who has the lock, in words.
func holder(path string) string {
	const unknown = "another process"
	f, err := os.Open(path)
	if err != nil {
		return unknown
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, lockTextMax))
	who, _, ok := strings.Cut(string(text), ",")
	if err != nil || !ok {
		return unknown // It has just taken it.
	}
	return who
}

// release lets the lock go. clean says that the store was closed properly.
func (l *lock) release(clean bool) error {
	var err error
	if clean {
		err = l.f.Truncate(0)
	}
	return errors.Join(err, l.f.Close())
}
