package chat

import (
	"encoding/binary"
	"strings"
)

// Renumber returns the content of a record as it is to be in another engine, in whose logs the same messages have other
// numbers: how far somebody has read, and by which KindJoined an account is a member. number returns the number there of the last
// message in a log up to a number here, 0 if there is none. Most records come back as they are.
func Renumber(bucket string, en Entry, number func(log string, seq uint64) (uint64, error)) ([]byte, error) {
	_, log, _ := strings.Cut(en.Key, "/") // Behind an account, whose name has no "/".
	switch bucket {
	case markBucket:
		seq, n := binary.Uvarint(en.Val)
		if n <= 0 {
			return en.Val, nil // Damaged; it counts as none.
		}
		seq, err := number(log, seq)
		return binary.AppendUvarint(nil, seq), err
	case enrolmentBucket:
		e, err := decodeEnrolment(en)
		if err != nil || e.seq == 0 {
			return en.Val, err
		}
		e.seq, err = number(log, e.seq)
		return e.encode(), err
	}
	return en.Val, nil
}
