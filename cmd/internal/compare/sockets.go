package compare

import (
	"errors"
	"net"
)

// sockets are the two hosts' UDP sockets.
type sockets [2]net.PacketConn

// openSockets opens both.
func openSockets(f Field) (sockets, error) {
	var s sockets
	for side := range s {
		pc, err := f.Packet(Side(side))
		if err != nil {
			return s, errors.Join(err, s.close())
		}
		s[side] = pc
	}
	return s, nil
}

// close closes those that are open.
func (s sockets) close() error {
	var err error
	for _, pc := range s {
		if pc != nil {
			err = errors.Join(err, ignoreClosed(pc.Close()))
		}
	}
	return err
}

// ignoreClosed is for what may have been closed by somebody else.
func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
