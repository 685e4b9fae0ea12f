package chat

import (
	"encoding/binary"
	"fmt"
	"math"
)

// A record is what is appended to a log for one event, or sent past it. What visitors do is written in
// version 1:
//
//	byte     version, 1
//	byte     kind: KindJoined, KindLeft or KindSaid
//	byte     reason, 0 unless kind is KindLeft
//	uvarint  JoinID
//	uvarint  length of the name, then the name
//	         text, KindSaid only: all that is left
//
// and what accounts do in version 2, which is the same for all kinds:
//
//	byte     version, 2
//	byte     kind
//	byte     reason, 0 unless kind is KindLeft
//	uvarint  length of the account's name, not 0, then that name
//	uvarint  length of the name, then the name
//	uvarint  length of what it is about, then that
//	uvarint  number
//	byte     length of a SHA-256, then that: 32 if kind is KindFile, else 0
//	         text: all that is left
//
// Version 3 is version 2 with a tag, of KindSaid and KindFile only, before the text:
//
//	uvarint  length of the tag, not 0, then that
//
// Room, number, time and message id are not in it: the engine keeps those beside it. There is
// exactly one encoding of a record, so that two nodes never disagree about one; a new field needs
// a new version, and old versions stay readable.
type record struct {
	kind    Kind
	reason  LeaveReason
	user    JoinID // Of a visitor.
	account string // Of an account. Empty in version 1.
	name    string
	about   string
	number  uint64
	sum     string
	tag     string
	text    string
}

const (
	recordVersionVisitor = 1
	recordVersionAccount = 2
	recordVersionTagged  = 3
)

// fileSumBytes is how long a SHA-256 is.
const fileSumBytes = 32

// visitorHeadBytes and accountHeadBytes are more than anything in a record but its strings takes.
const (
	visitorHeadBytes = 3 + 2*binary.MaxVarintLen32
	accountHeadBytes = 4 + 4*binary.MaxVarintLen32 + binary.MaxVarintLen64
)

// appendRecord appends the encoding of r to b.
func appendRecord(b []byte, r record) []byte {
	if r.account == "" {
		b = append(b, recordVersionVisitor, byte(r.kind), byte(r.reason))
		b = binary.AppendUvarint(b, uint64(r.user))
		b = appendString(b, r.name)
		return append(b, r.text...)
	}
	version := byte(recordVersionAccount)
	if r.tag != "" {
		version = recordVersionTagged
	}
	b = append(b, version, byte(r.kind), byte(r.reason))
	b = appendString(b, r.account)
	b = appendString(b, r.name)
	b = appendString(b, r.about)
	b = binary.AppendUvarint(b, r.number)
	b = append(b, byte(len(r.sum)))
	b = append(b, r.sum...)
	if r.tag != "" {
		b = appendString(b, r.tag)
	}
	return append(b, r.text...)
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// encode returns the encoding of r in a slice of its own.
func (r record) encode() []byte {
	n := visitorHeadBytes
	if r.account != "" {
		n = accountHeadBytes + len(r.account) + len(r.about) + len(r.sum) + len(r.tag)
	}
	return appendRecord(make([]byte, 0, n+len(r.name)+len(r.text)), r)
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
	case b[0] < recordVersionVisitor || b[0] > recordVersionTagged:
		return r, &recordError{0, "version 1, 2 or 3"}
	}
	kindLast := KindSaid
	switch b[0] {
	case recordVersionAccount:
		kindLast = KindPresence
	case recordVersionTagged:
		kindLast = KindFile
	}
	r.kind, r.reason = Kind(b[1]), LeaveReason(b[2])
	switch {
	case r.kind < KindJoined || r.kind > kindLast || b[0] == recordVersionTagged && r.kind < KindSaid:
		return r, &recordError{1, "a known kind"}
	case r.kind == KindLeft && (r.reason < ReasonLeft || r.reason > ReasonShutdown):
		return r, &recordError{2, "a known reason"}
	case r.kind != KindLeft && r.reason != 0:
		return r, &recordError{2, "no reason"}
	}
	var err error
	if b[0] == recordVersionVisitor {
		err = r.decodeVisitor(b, 3)
	} else {
		err = r.decodeAccount(b, 3)
	}
	return r, err
}

// decodeVisitor reads the rest of version 1, from at on.
func (r *record) decodeVisitor(b []byte, at int) error {
	user, n := uvarint32(b[at:])
	if n == 0 {
		return &recordError{at, "a user's number"}
	}
	r.user = JoinID(user)
	var err error
	if r.name, at, err = decodeString(b, at+n, "a length and a name"); err != nil {
		return err
	}
	if r.kind != KindSaid && at != len(b) {
		return &recordError{at, "its end"}
	}
	r.text = string(b[at:])
	return nil
}

// decodeAccount reads the rest of version 2 or 3, from at on.
func (r *record) decodeAccount(b []byte, at int) error {
	begin, err := at, error(nil)
	if r.account, at, err = decodeString(b, at, "a length and an account"); err != nil {
		return err
	}
	if r.account == "" {
		return &recordError{begin, "a length and an account"} // Without one it would be version 1.
	}
	if r.name, at, err = decodeString(b, at, "a length and a name"); err != nil {
		return err
	}
	if r.about, at, err = decodeString(b, at, "a length and what it is about"); err != nil {
		return err
	}
	number, n := binary.Uvarint(b[at:])
	if n <= 0 || n > 1 && b[at+n-1] == 0 || r.kind == KindFile && number > math.MaxInt64 {
		return &recordError{at, "a number"}
	}
	r.number = number
	at += n
	sumBytes := 0
	if r.kind == KindFile {
		sumBytes = fileSumBytes
	}
	if at >= len(b) || int(b[at]) != sumBytes || len(b)-at-1 < sumBytes {
		return &recordError{at, fmt.Sprintf("a SHA-256 of %d bytes", sumBytes)}
	}
	at++
	r.sum = string(b[at : at+sumBytes])
	at += sumBytes
	if b[0] == recordVersionTagged {
		const want = "a length and a tag"
		begin := at
		if r.tag, at, err = decodeString(b, at, want); err != nil {
			return err
		}
		if r.tag == "" {
			return &recordError{begin, want} // Without one it would be version 2.
		}
	}
	r.text = string(b[at:])
	return nil
}

// decodeString reads a length and as many bytes, and returns where they end.
func decodeString(b []byte, at int, want string) (s string, end int, err error) {
	size, n := uvarint32(b[at:])
	if n == 0 || uint64(size) > uint64(len(b)-at-n) {
		return "", at, &recordError{at, want}
	}
	at += n
	end = at + int(size)
	return string(b[at:end]), end, nil
}

// uvarint32 reads a number of up to 32 bits in its shortest form; n is 0 if there is none.
func uvarint32(b []byte) (v uint32, n int) {
	u, n := binary.Uvarint(b)
	if n <= 0 || u > 1<<32-1 || n > 1 && b[n-1] == 0 {
		return 0, 0
	}
	return uint32(u), n
}
