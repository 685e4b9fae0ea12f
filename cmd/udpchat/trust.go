package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"udpchat/reliable"
)

// How a client takes the key of a server it has not been to before.
const (
	trustAsk      = "ask"       // The user decides.
	trustFirstUse = "first-use" // It is taken, remembered and shown.
	trustPinned   = "pinned"    // It is not taken: the key must be given.
)

// trust decides whether a server is the right one. It does not change while there is a client, whose connections ask it.
type trust struct {
	mode   string
	server string       // Host and port, as the user calls it.
	want   reliable.Key // From the command line, an invite or the file; zero: not known.
	known  knownServers
	line   int // Of the file that want comes from; 0: it does not.
}

// newTrust looks a server up, unless the command line says which key it has.
func newTrust(mode string, to invite) (*trust, error) {
	t := &trust{mode: mode, server: to.server, want: to.key}
	if t.want != (reliable.Key{}) {
		return t, nil
	}
	var err error
	if t.known, err = knownServersFile(); err == nil {
		t.want, t.line, err = t.known.find(t.server)
	}
	if err != nil {
		return nil, advise(fmt.Errorf("the servers you know: %w", err),
			"Mend that file, or give the server's key by --server-key KEY or an invite, which the server shows when it starts.")
	}
	return t, nil
}

// A keyError is a server's key that is not taken.
type keyError struct {
	*trust
	got reliable.Key
}

func (e *keyError) Error() string {
	if e.want == (reliable.Key{}) {
		return fmt.Sprintf("%s is a server you have not been to; it has the key %v", e.server, e.got)
	}
	return fmt.Sprintf("%s is not the server it should be: it has the key %v, not %v", e.server, e.got, e.want)
}

// advice says what the user can do.
func (e *keyError) advice() string {
	switch {
	case e.line > 0:
		return fmt.Sprintf("Its key was another one when you were there last. Either the server was set up anew, or somebody sits\n"+
			"between you and it and reads along. Ask who runs it. If the new key is right, remove line %d of\n  %s",
			e.line, e.known.path)
	case e.want != (reliable.Key{}):
		return "That is the wrong server, an old key or invite, or somebody sits in between. Ask who runs it for a new invite."
	case e.mode == trustAsk:
		return "There is no terminal to ask you at. If the key is right, name it with --server-key KEY."
	default:
		return "--trust pinned takes only servers whose key you have. If this one is right, name it with --server-key KEY."
	}
}

// verify is reliable.Config.VerifyServer.
func (t *trust) verify(got reliable.Key) error {
	if got == t.want || t.want == (reliable.Key{}) && t.mode == trustFirstUse {
		return nil
	}
	return &keyError{t, got}
}

// accept remembers a key that was not known and shows it. A file that cannot be written is no reason not to chat. It must
// not be called while there is a client.
func (t *trust) accept(key reliable.Key, w io.Writer) {
	if t.want == key {
		return
	}
	where := "remembered in " + t.known.path
	if err := t.known.add(t.server, key); err != nil {
		where = fmt.Sprintf("which could not be remembered: %v", err)
	}
	fmt.Fprintf(w, "new server %s has the key %v: %s\n", t.server, key, where)
}

// ask asks whether the key of an unknown server is right. It reads one line, byte by byte: what follows is for others.
func (e *keyError) ask(in io.Reader, w io.Writer) bool {
	fmt.Fprintf(w, "%v\nIs that the key the server shows when it starts? Type yes to go there: ", e)
	var line []byte
	for b := make([]byte, 1); ; {
		n, err := in.Read(b)
		line = append(line, b[:n]...)
		if err != nil || n > 0 && b[0] == '\n' {
			return strings.EqualFold(strings.TrimSpace(string(line)), "yes")
		}
	}
}

// isKeyError returns the reason if err is a server with another key than it should have.
func isKeyError(err error) (*keyError, bool) { return errors.AsType[*keyError](err) }
