package main

import (
	"path/filepath"

	nativefront "udpchat/chat/front/native"
)

// uploadsDir is where files lie while they come, in the data directory.
const uploadsDir = "uploads"

// makeNative makes the front-end of the native protocol.
func (n *node) makeNative() (*nativefront.Front, error) {
	dir, err := storeDir(n.cfg)
	if err != nil {
		return nil, err
	}
	f, err := nativefront.New(nativefront.Config{
		Accounts: n.accounts, Engine: n.engine, Open: n.cfg.Registration, Guests: n.cfg.Guests,
		Spool: filepath.Join(dir, uploadsDir), FileBytesMax: int64(n.cfg.FileQuota),
		Agent:             "udpchat",
		RequestsPerSecond: float64(n.cfg.RequestsPerSecond), RequestsBurst: n.cfg.RequestsBurst,
		ComeBackAfter: n.cfg.ComeBackAfter, ComeBackTo: n.cfg.ComeBackTo,
		Logger: n.log,
	})
	return f, advise(err, "The data directory, which --data DIR names, must be writable: files lie there while they come.")
}
