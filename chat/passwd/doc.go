// Package passwd hashes and checks passwords: argon2id in PHC form.
//
// A Secret is made of the password as it was typed, or of what a client sends instead of it, and is checked against a
// verifier, which is all that is ever stored:
//
//	secret, err := passwd.Clear("correct horse")
//	verifier, err := hasher.Hash(ctx, secret)
//	result, err := hasher.Verify(ctx, verifier, secret)
//
// # Why MD5 is in it
//
// The verifier is argon2id over the lower-case hexadecimal MD5 of the password, always. One of the historical clients never
// sends anything else, and one account must have one password whatever its owner's program speaks; a second verifier for the
// others would only be a second thing to attack. What MD5 is broken for, two inputs with one digest, does not help to find
// the input of a given digest; guessing is as slow as argon2id makes it; the salt is inside argon2id. What is lost is that
// a client of that protocol has a password equivalent, which whoever records its plain connection can use, as they could use
// any password sent there.
//
// # Work
//
// One hash takes 19 MiB and two passes. At most as many run at once as Config says, by default as many as there are CPUs,
// and only so many wait; others get ErrBusy at once, so that a flood of log-ins takes neither memory nor all of the time.
// Idle does the same work as Verify for a user that is not there.
//
// A Hasher is safe for concurrent use.
package passwd
