package jetstream

import (
	"errors"
	"log/slog"
	"regexp"
)

// Config says which cluster an engine uses, and how.
type Config struct {
	Servers []string // URLs, at least one: nats://HOST:PORT, tls://HOST:PORT, with USER:PASSWORD@ if need be.

	// Prefix begins the names of all streams and subjects; empty means "udpchat". Letters, digits, - and _.
	Prefix string

	Replicas int  // On how many servers each stream is; 0 means 3.
	Shards   int  // How many streams the rooms are spread over; 0 means 8. All nodes must agree.
	Forget   bool // Streams are in memory, and what is old is forgotten.

	BlobBytesMax int64        // The largest file; 0 means 4 GiB.
	Logger       *slog.Logger // nil discards.
}

var prefixPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// withDefaults returns cfg with all fields set, or what is wrong with it.
func (cfg Config) withDefaults() (Config, error) {
	if cfg.Prefix == "" {
		cfg.Prefix = "udpchat"
	}
	if cfg.Replicas == 0 {
		cfg.Replicas = 3
	}
	if cfg.Shards == 0 {
		cfg.Shards = shardsDefault
	}
	if cfg.BlobBytesMax == 0 {
		cfg.BlobBytesMax = blobBytesMax
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	switch {
	case len(cfg.Servers) == 0:
		return cfg, errors.New("jetstream: config has no Servers")
	case !prefixPattern.MatchString(cfg.Prefix):
		return cfg, errors.New("jetstream: config Prefix is not 1 to 64 letters, digits, - and _")
	case cfg.Replicas < 1 || cfg.Replicas > 5 || cfg.Shards < 1 || cfg.Shards > 64 || cfg.BlobBytesMax < 0:
		return cfg, errors.New("jetstream: config Replicas, Shards or BlobBytesMax makes no sense")
	}
	return cfg, nil
}
