package passwd

import "errors"

var (
	// ErrEmpty: there is no password.
	ErrEmpty = errors.New("passwd: password is empty")
	// ErrTooLong: the password has more than 1,024 bytes.
	ErrTooLong = errors.New("passwd: password is too long")
	// ErrNotMD5: what should be an MD5 in hexadecimal is something else.
	ErrNotMD5 = errors.New("passwd: not the MD5 of a password")
	// ErrVerifier: a stored verifier is damaged, of another kind, or asks for too much.
	ErrVerifier = errors.New("passwd: not a verifier that can be checked")
	// ErrBusy: too many hashes are waiting.
	ErrBusy = errors.New("passwd: too many passwords are being checked")
)
