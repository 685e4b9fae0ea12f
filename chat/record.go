package chat

import (
	"encoding/binary"
	"fmt"
)

// A record is what is appended to a room's log for one event:
//
//	byte     version, 1
//	byte     kind
//	byte     reason, 0 unless kind is KindLeft
//	uvarint  JoinID
//	uvarint  length of the name, then the name
//	         text, KindSaid only: all that is left
//
// Room, number, time and message id are not in it: the engine keeps those beside it. There is
// exactly one encoding of a record, so that two nodes never disagree about one; a new field needs
// a new version, and old versions stay readable.
type record struct {
	kind   Kind
	reason LeaveReason
	user   JoinID
	name   string
	text   string
}

const recordVersion = 1

// recordHeadBytes is more than anything in a record but name and text takes.
const recordHeadBytes = 3 + 2*binary.MaxVarintLen32

// appendRecord appends the encoding of r to b.
func appendRecord(b []byte, r record) []byte {
	b = append(b, recordVersion, byte(r.kind), byte(r.reason))
	b = binary.AppendUvarint(b, uint64(r.user))
	b = binary.AppendUvarint(b, uint64(len(r.name)))
	b = append(b, r.name...)
	return append(b, r.text...)
}

// encode returns the encoding of r in a slice of its own.
func (r record) encode() []byte {
	return appendRecord(make([]byte, 0, recordHeadBytes+len(r.name)+len(r.text)), r)
}

// A recordError says what is wrong with the bytes of a record.
type recordError struct {
	offset int
	want   string
}

func (e *recordError) Error() string {
	return fmt.Sprintf("chat: record at byte %d: want %s", e.offset, e.want)
}

// decodeRecord reads a record. It keeps nothing of b.
func decodeRecord(b []byte) (record, error) {
	var r record
	switch {
	case len(b) < 3:
		return r, &recordError{len(b), "version, kind and reason"}
	case len(b) > recordBytesMax:
		return r, &recordError{recordBytesMax, "its end"}
	case b[0] != recordVersion:
		return r, &recordError{0, "version 1"}
	}
	r.kind, r.reason = Kind(b[1]), LeaveReason(b[2])
	switch {
	case r.kind < KindJoined || r.kind > KindSaid:
		return r, &recordError{1, "a known kind"}
	case r.kind == KindLeft && (r.reason < ReasonLeft || r.reason > ReasonShutdown):
		return r, &recordError{2, "a known reason"}
	case r.kind != KindLeft && r.reason != 0:
		return r, &recordError{2, "no reason"}
	}
	at := 3
	user, n := uvarint32(b[at:])
	if n == 0 {
		return r, &recordError{at, "a user's number"}
	}
	at += n
	nameBytes, n := uvarint32(b[at:])
	if n == 0 || uint64(nameBytes) > uint64(len(b)-at-n) {
		return r, &recordError{at, "a length and a name"}
	}
	at += n
	r.user = JoinID(user)
	r.name = string(b[at : at+int(nameBytes)])
	at += int(nameBytes)
	if r.kind != KindSaid && at != len(b) {
		return r, &recordError{at, "its end"}
	}
	r.text = string(b[at:])
	return r, nil
}

// uvarint32 reads a number of up to 32 bits in its shortest form; n is 0 if there is none.
func uvarint32(b []byte) (v uint32, n int) {
	u, n := binary.Uvarint(b)
	if n <= 0 || u > 1<<32-1 || n > 1 && b[n-1] == 0 {
		return 0, 0
	}
	return uint32(u), n
}
