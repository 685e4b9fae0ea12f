package native

import (
	"encoding/binary"
	"fmt"

	"udpchat/chat"
)

// notesLog is where the Fronts of all nodes tell each other what is for devices of an account, wherever they are. No room has
// such a name, and nothing is ever stored in it.
const notesLog = "pr/native"

// A note is for devices of one account.
type note struct {
	account string
	device  string // The only one; empty: all.
	but     string // But not this one.
	push    []byte // A message for them. None: their tokens were revoked, and they end.
}

// expel ends the sessions of devices whose tokens were revoked: of one, or of all but one.
func (f *Front) expel(account, device, but string) error {
	return f.sendNote(note{account: account, device: device, but: but})
}

// sendNote sends a note to all nodes, this one included.
func (f *Front) sendNote(n note) error {
	var b []byte
	for _, part := range [][]byte{[]byte(n.account), []byte(n.device), []byte(n.but), n.push} {
		b = append(binary.AppendUvarint(b, uint64(len(part))), part...)
	}
	if err := f.cfg.Engine.Send(notesLog, b); err != nil {
		return fmt.Errorf("native: telling other nodes: %w", err)
	}
	return nil
}

// takeNote takes a note to the sessions that are here.
func (f *Front) takeNote(msg chat.Msg) {
	var parts [4][]byte
	b := msg.Data
	for i := range parts {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return // Not by this version.
		}
		parts[i], b = b[n:n+int(size)], b[n+int(size):]
	}
	if len(parts[3]) == 0 {
		for _, c := range f.tickets.revoke(string(parts[0]), string(parts[1]), string(parts[2])) {
			c.end(ErrRevoked)
		}
	}
	for _, c := range f.of(string(parts[0]), string(parts[1]), string(parts[2])) {
		if len(parts[3]) == 0 {
			c.end(ErrRevoked)
			continue
		}
		_ = c.session.Enqueue(frame(parts[3])) // An error says that the session has ended; its reader finds out.
	}
}
