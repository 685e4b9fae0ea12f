package client

import (
	"os"
	"syscall"
)

// errLocked: another process has it (ERROR_SHARING_VIOLATION).
var errLocked = syscall.Errno(32)

// openLocked opens path, which it makes if need be, shared with nobody.
func openLocked(path string) (*os.File, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil,
		syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return nil, &os.PathError{Op: "lock", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
}

// syncDir has nothing to do: NTFS keeps names in its own log.
func syncDir(string) error { return nil }
