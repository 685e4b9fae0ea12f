package passwd

import (
	"crypto/md5"
	"encoding/hex"
	"strings"
)

// A Secret is what a user knows, ready to be hashed. It must not be logged or stored: whoever has it can log in. The zero
// value is no secret, and nothing matches it.
type Secret struct{ md5Hex string }

// Clear returns the secret of a password as its user typed it.
func Clear(password string) (Secret, error) {
	switch {
	case password == "":
		return Secret{}, ErrEmpty
	case len(password) > passwordBytesMax:
		return Secret{}, ErrTooLong
	}
	sum := md5.Sum([]byte(password))
	return Secret{hex.EncodeToString(sum[:])}, nil
}

// FromMD5 returns the secret of a password of which a client sent the MD5, in hexadecimal of either case.
func FromMD5(text string) (Secret, error) {
	b, err := hex.DecodeString(strings.ToLower(text))
	if err != nil || len(b) != md5.Size {
		return Secret{}, ErrNotMD5
	}
	if md5.Sum(nil) == [md5.Size]byte(b) {
		return Secret{}, ErrEmpty
	}
	return Secret{hex.EncodeToString(b)}, nil
}

// String hides the secret from logs.
func (Secret) String() string { return "(secret)" }

// GoString hides the secret from logs.
func (Secret) GoString() string { return "(secret)" }
