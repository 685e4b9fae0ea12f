package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	core "udpchat/chat" // The command "chat" is named so in this package.
	"udpchat/chat/store/jetstream"
	"udpchat/chat/store/memory"
	"udpchat/chat/store/route"
	"udpchat/chat/store/sqlite"
	"udpchat/config"
)

// memoryDurability is the setting by which nothing is kept.
const memoryDurability = "memory"

// forgetPrefix begins the names of the streams of rooms that forget.
const forgetPrefix = "udpchat-forget"

// openEngine opens what keeps the rooms of a server: durable ones in its data directory or in a cluster, the others in
// memory, here or there.
func openEngine(ctx context.Context, cfg config.Config, log *slog.Logger) (core.Engine, error) {
	var kept, forgetting core.Engine
	var err error
	switch {
	case len(cfg.NATS) > 0:
		if cfg.Durability != sqlite.Synced.String() {
			return nil, advise(fmt.Errorf("durability %s does not go with nats", cfg.Durability),
				"How durable a NATS cluster is its servers decide: sync_interval in the jetstream section of their configuration.")
		}
		if kept, err = openCluster(ctx, cfg, log, false); err != nil {
			return nil, err
		}
		if forgetting, err = openCluster(ctx, cfg, log, true); err != nil {
			return nil, errors.Join(err, kept.Close())
		}
	case cfg.Durability == memoryDurability:
		return memory.New(memory.Config{}), nil
	default:
		if kept, err = openStore(cfg, log); err != nil {
			return nil, err
		}
		forgetting = memory.New(memory.Config{})
	}
	patterns := make([]route.Pattern, len(cfg.DurableRooms))
	for i, p := range cfg.DurableRooms {
		patterns[i] = route.Pattern(p)
	}
	return route.New(route.Config{Kept: kept, Forgetting: forgetting, Durable: patterns}), nil
}

// openCluster opens what a NATS cluster keeps, or the rooms in its memory.
func openCluster(ctx context.Context, cfg config.Config, log *slog.Logger, forget bool) (*jetstream.Engine, error) {
	js := jetstream.Config{Servers: cfg.NATS, Replicas: cfg.NATSReplicas, Forget: forget, Logger: log}
	if forget {
		js.Prefix, js.Shards = forgetPrefix, 1
	}
	e, err := jetstream.Open(ctx, js)
	return e, advise(err, "Are at least %d NATS servers with JetStream running there, and do they see each other? --nats-replicas 1 needs one only.",
		cfg.NATSReplicas)
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

// hasStore says that there is nothing to take from a directory, if no server has stored anything there.
func hasStore(dir string) error {
	if ok, err := sqlite.Exists(dir); err != nil {
		return adviseStore(err)
	} else if !ok {
		return advise(fmt.Errorf("no server has stored anything in %s", dir), "Name the data directory of the server: --data DIR. That of 'make run' is data.")
	}
	return nil
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
	case errors.Is(err, core.ErrUnwritable):
		return advise(err, "The data directory, which --data DIR names, and every file in it must be writable for who starts the server:\n"+
			"see 'ls -l DIR', and whether its disk is mounted read-only. --durability memory needs no store.")
	case errors.Is(err, core.ErrFull):
		return advise(err, "Make room on the disk, or take a directory on another one with --data DIR.")
	}
	return advise(err, "The store is in the data directory, which --data DIR names. It must be on a local disk and writable;\n"+
		"--durability memory needs none.")
}
