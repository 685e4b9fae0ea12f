package passwd

const (
	// What one hash costs unless configured: RFC 9106 leaves the choice, and this is the least that the OWASP Password Storage
	// Cheat Sheet asks for.
	memoryKiB = 19 << 10
	passes    = 2
	lanes     = 1

	// saltBytes and keyBytes are the lengths of what new verifiers have (RFC 9106 3.1).
	saltBytes = 16
	keyBytes  = 32

	// What a verifier may ask for. One that asks for more is refused, because it would take the server's memory or time:
	// verifiers come from files, too.
	memoryKiBMax  = 256 << 10
	passesMax     = 16
	lanesMax      = 16
	saltBytesMin  = 8
	saltBytesMax  = 64
	keyBytesMin   = 16
	keyBytesMax   = 64
	verifierBytes = 256 // The longest text of a verifier.

	// passwordBytesMax is the longest password: longer ones are refused with ErrTooLong. It bounds what MD5 has to read.
	passwordBytesMax = 1 << 10

	// waitingMax is how many hashes may wait for their turn, for each that may run. The last of them waits about a second.
	// More are refused with ErrBusy.
	waitingMax = 32
)
