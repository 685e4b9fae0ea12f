package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"udpchat/config"
	"udpchat/reliable"
)

// keyFile is the server's private key in its data directory.
const keyFile = "server.key"

// stateHome begins a data directory that lies where this user's programs keep their state.
const stateHome = "$XDG_STATE_HOME"

// dataDir returns where a server keeps what must survive it.
func dataDir(cfg config.Config) (string, error) {
	rest, ok := strings.CutPrefix(cfg.Data, stateHome)
	if !ok {
		return cfg.Data, nil
	}
	if dir := os.Getenv(stateHome[1:]); dir != "" {
		return filepath.Join(dir, rest), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, ".local", "state", rest), nil
}

// openIdentity opens the server's key, and makes it when the server starts for the first time.
func openIdentity(cfg config.Config) (*reliable.Identity, error) {
	dir, err := dataDir(cfg)
	if err != nil {
		return nil, advise(fmt.Errorf("no place for the server's key: %w", err), "Name a directory with --data DIR.")
	}
	id, _, err := reliable.OpenIdentity(filepath.Join(dir, keyFile))
	return id, advise(err, "The key is in the data directory, which --data DIR names. Without the old key clients that know the\n"+
		"server will refuse it.")
}
