package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"udpchat/reliable"
)

// knownServers is the file of servers this user has been to, one HOST:PORT and KEY on a line; # begins a comment. Names
// are kept as they were typed: one server may have several.
type knownServers struct{ path string }

// knownServersFile returns the user's file: $XDG_CONFIG_HOME/udpchat/known_servers, or the same below where this system
// keeps settings.
func knownServersFile() (knownServers, error) {
	dir := os.Getenv("XDG_CONFIG_HOME")
	if dir == "" {
		var err error
		if dir, err = os.UserConfigDir(); err != nil {
			return knownServers{}, err
		}
	}
	return knownServers{filepath.Join(dir, "udpchat", "known_servers")}, nil
}

// find returns the key of a server and the number of the line it is on, 0 if it is not known.
func (k knownServers) find(server string) (key reliable.Key, line int, err error) {
	f, err := os.Open(k.path)
	if errors.Is(err, fs.ErrNotExist) {
		return key, 0, nil
	}
	if err != nil {
		return key, 0, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		text, _, _ := strings.Cut(lines.Text(), "#")
		fields := strings.Fields(text)
		if len(fields) == 0 || fields[0] != server {
			continue
		}
		if len(fields) != 2 {
			return key, n, fmt.Errorf("%s, line %d: want HOST:PORT KEY", k.path, n)
		}
		if key, err = parseKey(fields[1]); err != nil {
			return key, n, fmt.Errorf("%s, line %d: %w", k.path, n, err)
		}
		return key, n, nil
	}
	return key, 0, lines.Err()
}

// add remembers a server. The line is written at once, so that two clients may do so at the same time.
func (k knownServers) add(server string, key reliable.Key) error {
	if err := os.MkdirAll(filepath.Dir(k.path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(k.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%s %v\n", server, key)
	return errors.Join(err, f.Close())
}
