package wirelane

import (
	"context"
	"encoding/json"
	"net/netip"
	"time"

	"udpchat/reliable/netem"
)

// Order is what a run is to do.
type Order struct {
	Job     string // Its name in the map given to Main.
	Args    any    // For the job; must survive JSON.
	Profile netem.Profile
	Seed    uint64
	Limit   time.Duration // How long the job may take; 0 is an error. A job that takes longer is killed.
	Weight  int           // How many runs of a thin flow it is worth, at least 1. More than there is room for: it runs alone.
	// Note gets what the job reports while it runs, one call at a time. Nil: it is dropped.
	Note func(json.RawMessage)
}

// A Job is a function that runs in a world of its own. What it returns must survive JSON.
type Job func(ctx context.Context, w *World, args json.RawMessage) (result any, err error)

// Addresses of the two ends: 198.18.0.0/15 is for benchmarks (RFC 2544) and nobody's on the Internet.
var (
	nearAddr = netip.AddrFrom4([4]byte{198, 18, 0, 1})
	farAddr  = netip.AddrFrom4([4]byte{198, 18, 0, 2})
)

// order is what a child reads.
type order struct {
	Job     string
	Args    json.RawMessage
	Profile netem.Profile
	Seed    uint64
	Limit   time.Duration
}

// reply is one line of what a child answers: notes, then a result or an error.
type reply struct {
	Note   json.RawMessage `json:",omitempty"`
	Result json.RawMessage `json:",omitempty"`
	Wire   *Wire           `json:",omitempty"`
	Error  string          `json:",omitempty"`
}
