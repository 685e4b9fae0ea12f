package names

import "strings"

// Room is Check for the name of a room that somebody wants to make or join: the names of the server's own logs are refused
// with Reserved.
func Room(name string, bytesMax int) error {
	if err := Check(name, bytesMax); err != nil {
		return err
	}
	if Internal(name) {
		return &Error{Fault: Reserved, Bytes: len(name), Max: bytesMax}
	}
	return nil
}

// Prefixes of the names of logs that are not rooms.
const (
	DirectPrefix   = "dm/" // A direct conversation: two accounts with a slash between them, in order.
	AccountPrefix  = "ac/" // What happens to an account, for its devices.
	PresencePrefix = "pr"  // Who is there: this name itself, and what follows after a slash.
)

// Internal reports whether a log of that name is the server's own.
func Internal(name string) bool {
	return strings.HasPrefix(name, DirectPrefix) || strings.HasPrefix(name, AccountPrefix) ||
		name == PresencePrefix || strings.HasPrefix(name, PresencePrefix+"/")
}

// Direct returns the name of the log of the conversation of two accounts, given by their canonical names.
func Direct(a, b string) string { return DirectPrefix + min(a, b) + "/" + max(a, b) }
