package passwd

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// A verifier is a PHC string taken apart:
//
//	$argon2id$v=19$m=19456,t=2,p=1$SALT$KEY
//
// with salt and key in base64 without padding.
type verifier struct {
	memoryKiB, passes uint32
	lanes             uint8
	salt, key         []byte
}

// parse reads a verifier and checks that it asks for no more than the limits allow.
func parse(text string) (verifier, error) {
	if len(text) > verifierBytes {
		return verifier{}, fmt.Errorf("%w: %d bytes", ErrVerifier, len(text))
	}
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return verifier{}, fmt.Errorf("%w: not argon2id version %d in PHC form", ErrVerifier, argon2.Version)
	}
	costs := strings.Split(parts[3], ",")
	if len(costs) != 3 {
		return verifier{}, fmt.Errorf("%w: its costs", ErrVerifier)
	}
	var n [3]uint64
	for i, c := range []struct {
		key string
		max uint64
	}{{"m=", memoryKiBMax}, {"t=", passesMax}, {"p=", lanesMax}} {
		digits, ok := strings.CutPrefix(costs[i], c.key)
		v, err := strconv.ParseUint(digits, 10, 32)
		if !ok || err != nil || v == 0 || v > c.max {
			return verifier{}, fmt.Errorf("%w: cost %s", ErrVerifier, c.key)
		}
		n[i] = v
	}
	v := verifier{memoryKiB: uint32(n[0]), passes: uint32(n[1]), lanes: uint8(n[2])}
	var err error
	if v.salt, err = part(parts[4], saltBytesMin, saltBytesMax); err != nil {
		return verifier{}, fmt.Errorf("%w: its salt", ErrVerifier)
	}
	if v.key, err = part(parts[5], keyBytesMin, keyBytesMax); err != nil {
		return verifier{}, fmt.Errorf("%w: its key", ErrVerifier)
	}
	return v, nil
}

func part(text string, bytesMin, bytesMax int) ([]byte, error) {
	b, err := base64.RawStdEncoding.Strict().DecodeString(text)
	if err == nil && (len(b) < bytesMin || len(b) > bytesMax) {
		err = ErrVerifier
	}
	return b, err
}

// String writes the verifier down.
func (v verifier) String() string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, v.memoryKiB, v.passes, v.lanes, b64(v.salt), b64(v.key))
}

// Check returns nil if text is a verifier that Verify can check, or an error that matches ErrVerifier.
func Check(text string) error {
	_, err := parse(text)
	return err
}
