package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// A FileState is a State in a file, readable by its owner alone, that no other process can use meanwhile. The methods of
// State belong to the client.
type FileState struct {
	path string
	lock *os.File // Beside the file, which is replaced as a whole; it stays, empty.
}

// OpenState returns the State in the file at path, which need not exist yet, and makes its directory. The error matches
// ErrInUse if another process has it. Close it after the client.
func OpenState(path string) (*FileState, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("client: state: %w", err)
	}
	lock, err := openLocked(path + ".lock")
	if errors.Is(err, errLocked) {
		return nil, fmt.Errorf("%w: %s", ErrInUse, path)
	}
	if err != nil {
		return nil, fmt.Errorf("client: state: %w", err)
	}
	return &FileState{path: path, lock: lock}, nil
}

// Load is State.Load.
func (f *FileState) Load() (s Saved, err error) {
	file, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	defer file.Close()
	if err := json.NewDecoder(io.LimitReader(file, stateBytesMax)).Decode(&s); err != nil {
		return s, fmt.Errorf("%s: %w", f.path, err)
	}
	return s, nil
}

// Save is State.Save: the file is the old one or the new one, whatever happens meanwhile, and on the disk.
func (f *FileState) Save(s Saved) error {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(f.path), ".state-*") // With mode 0600.
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // It is gone if all went well: an error cannot matter.
	_, err = tmp.Write(append(b, '\n'))
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), f.path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(f.path))
}

// Close lets other processes use the file.
func (f *FileState) Close() error { return f.lock.Close() }
