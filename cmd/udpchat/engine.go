package main

import (
	"errors"
	"fmt"
	"log/slog"

	core "udpchat/chat" // The command "chat" is named so in this package.
	"udpchat/chat/store/memory"
	"udpchat/chat/store/route"
	"udpchat/chat/store/sqlite"
	"udpchat/config"
)

// memoryDurability is the setting by which nothing is kept.
const memoryDurability = "memory"

// openEngine opens what keeps the rooms of a server: durable ones in its data directory, the others in memory.
func openEngine(cfg config.Config, log *slog.Logger) (core.Engine, error) {
	if cfg.Durability == memoryDurability {
		return memory.New(memory.Config{}), nil
	}
	kept, err := openStore(cfg, log)
	if err != nil {
		return nil, err
	}
	patterns := make([]route.Pattern, len(cfg.DurableRooms))
	for i, p := range cfg.DurableRooms {
		patterns[i] = route.Pattern(p)
	}
	return route.New(route.Config{Kept: kept, Forgetting: memory.New(memory.Config{}), Durable: patterns}), nil
}

// openStore opens the store in the server's data directory.
func openStore(cfg config.Config, log *slog.Logger) (*sqlite.Engine, error) {
	dir, err := storeDir(cfg)
	if err != nil {
		return nil, err
	}
	durability := sqlite.Synced
	if cfg.Durability == sqlite.Fast.String() {
		durability = sqlite.Fast
	}
	e, err := sqlite.Open(dir, sqlite.Config{Durability: durability, Logger: log})
	return e, adviseStore(err)
}

// storeDir returns the directory of the store.
func storeDir(cfg config.Config) (string, error) {
	dir, err := dataDir(cfg)
	if err != nil {
		return "", advise(fmt.Errorf("no place for the store: %w", err), "Name a directory with --data DIR.")
	}
	return dir, nil
}

// adviseStore says what to do about an error of opening the store.
func adviseStore(err error) error {
	switch {
	case errors.Is(err, sqlite.ErrInUse):
		return advise(err, "Another udpchat has this data directory. Stop it, or give this one a directory of its own with --data DIR.")
	case errors.Is(err, sqlite.ErrDamaged):
		return advise(err, "Nothing was changed. Keep a copy of the directory, then put a backup back as udpchat.db in an empty one,\n"+
			"or save what can be read with the sqlite3 program: sqlite3 udpchat.db .recover")
	case errors.Is(err, sqlite.ErrForeign):
		return advise(err, "Take a newer version of this program, or another directory with --data DIR.")
	case errors.Is(err, core.ErrFull):
		return advise(err, "Make room on the disk, or take a directory on another one with --data DIR.")
	}
	return advise(err, "The store is in the data directory, which --data DIR names. It must be on a local disk and writable;\n"+
		"--durability memory needs none.")
}
