package client

import (
	"errors"
	"fmt"
	"net"
)

var (
	// ErrClosed says that Close was called. It matches net.ErrClosed.
	ErrClosed = fmt.Errorf("client: closed: %w", net.ErrClosed)

	// ErrInUse says that another client, perhaps of another process, has the state.
	ErrInUse = errors.New("client: the state is in use by another client")
)
