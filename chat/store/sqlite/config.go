package sqlite

import (
	"fmt"
	"log/slog"
)

// Durability is what an engine waits for before it says that something is stored.
type Durability uint8

const (
	// Synced waits until it is on the disk.
	Synced Durability = iota
	// Fast waits until the operating system has it.
	Fast
)

// String returns the word for it in settings.
func (d Durability) String() string {
	switch d {
	case Synced:
		return "synced"
	case Fast:
		return "fast"
	}
	return fmt.Sprintf("Durability(%d)", uint8(d))
}

// Config says how an engine works. The zero Config is one for a server.
type Config struct {
	Durability   Durability
	Logger       *slog.Logger // nil discards.
	BytesMax     int64        // How large the database may become; 0 means 1 TiB.
	BlobBytesMax int64        // The largest file; 0 means 4 GiB.
}

// withDefaults returns cfg with all fields set, or what is wrong with it.
func (cfg Config) withDefaults() (Config, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.BytesMax == 0 {
		cfg.BytesMax = bytesMax
	}
	if cfg.BlobBytesMax == 0 {
		cfg.BlobBytesMax = blobBytesMax
	}
	if cfg.Durability > Fast || cfg.BytesMax < 0 || cfg.BlobBytesMax < 0 {
		return cfg, fmt.Errorf("sqlite: bad config: durability %v, %d bytes, files of %d bytes", cfg.Durability, cfg.BytesMax, cfg.BlobBytesMax)
	}
	return cfg, nil
}
