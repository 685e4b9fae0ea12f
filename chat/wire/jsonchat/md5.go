package jsonchat

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
)

// MessageMD5 returns the name of a message as clients make it (PROTOCOL.md 4): the MD5 of the content before it was put
// into base64, followed by sender, recipient and time, of each the low 32 bits.
func MessageMD5(content []byte, userID, targetID, timestamp int64) string {
	h := md5.New()
	_, _ = h.Write(content) // A hash takes everything.
	var tail []byte
	for _, n := range []int64{userID, targetID, timestamp} {
		tail = binary.LittleEndian.AppendUint32(tail, uint32(n))
	}
	_, _ = h.Write(tail)
	return hex.EncodeToString(h.Sum(nil))
}
