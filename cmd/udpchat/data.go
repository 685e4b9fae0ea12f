package main

import (
	"errors"
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

// openIdentity opens the server's key, and makes it when the server starts for the first time; a certificate that the
// operator has comes before it.
func openIdentity(cfg config.Config) (*reliable.Identity, error) {
	if cfg.TLSCert != "" || cfg.TLSKey != "" {
		if cfg.TLSCert == "" || cfg.TLSKey == "" {
			return nil, advise(errors.New("tls_cert and tls_key go together"),
				"Name both files, --tls-cert FILE --tls-key FILE, or neither: then the server makes a key of its own.")
		}
		id, err := reliable.LoadIdentity(cfg.TLSCert, cfg.TLSKey)
		return id, advise(err, "--tls-cert and --tls-key name a certificate and its private key in PEM. Without them the server makes a key\n"+
			"of its own, which is all its clients need.")
	}
	dir, err := dataDir(cfg)
	if err != nil {
		return nil, advise(fmt.Errorf("no place for the server's key: %w", err), "Name a directory with --data DIR.")
	}
	id, _, err := reliable.OpenIdentity(filepath.Join(dir, keyFile))
	return id, advise(err, "The key is in the data directory, which --data DIR names and which must be writable. Without the old key\n"+
		"clients that know the server will refuse it.")
}
