package handshake

import (
	"errors"

	"udpchat/reliable/internal/wire"
)

var errTooLong = errors.New("handshake: the peer has too much to say")

// cut returns the piece of flight that begins at offset and has at most room bytes.
func cut(flight []byte, offset, room int) wire.Piece {
	offset = min(offset, len(flight))
	end := min(len(flight), offset+max(room, 0))
	return wire.Piece{Total: uint16(len(flight)), Offset: uint16(offset), Data: flight[offset:end]}
}

// An assembly puts a flight together again. Pieces that do not continue what is there are dropped: they are repeated.
type assembly struct {
	max   int
	total int // 0: nothing has come yet
	b     []byte
}

// add takes a piece and returns the flight when it is whole, once. It is an error if the flight is too long or if
// pieces contradict each other.
func (a *assembly) add(p wire.Piece) (flight []byte, err error) {
	total := int(p.Total)
	switch {
	case total == 0 || total > a.max || a.total != 0 && total != a.total:
		return nil, errTooLong
	case int(p.Offset) != len(a.b) || len(a.b) == a.total && a.total != 0:
		return nil, nil
	}
	a.total = total
	a.b = append(a.b, p.Data...)
	if len(a.b) < total {
		return nil, nil
	}
	return a.b, nil
}
