//go:build !linux

package wirelane

import (
	"context"
	"errors"
)

// World is where a job runs; there is none on this system.
type World struct{}

// Lane starts runs, which needs Linux.
type Lane struct{}

var errNotLinux = errors.New("wirelane: two network namespaces on one machine need Linux")

// New returns a lane that can only say why it cannot run.
func New() *Lane { return &Lane{} }

// Slots is 0.
func (*Lane) Slots() int { return 0 }

// Check says why no run can start here.
func (*Lane) Check(context.Context) (Wire, error) { return Wire{}, errNotLinux }

// Run reports the same.
func (*Lane) Run(context.Context, Order, any) (Wire, error) { return Wire{}, errNotLinux }

// Main returns at once.
func Main(map[string]Job) {}
