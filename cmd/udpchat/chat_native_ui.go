package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"udpchat/chat/wire/native"
	"udpchat/client"
	"udpchat/client/clean"
	"udpchat/reliable"
)

const (
	// nativeHistory is how much of the past is shown when entering a room, on a terminal.
	nativeHistory = 20

	// nativePendingAfter is how long a message may be on its way before that is shown, and a lost connection before it is.
	// Most are stored, and back, sooner.
	nativePendingAfter = time.Second

	// nativeFlushWait bounds waiting, at the end of a script, for the server to store what was said: long enough for one
	// that is started again.
	nativeFlushWait = time.Minute

	// nativeCatchUpWait bounds waiting until what is stored was shown.
	nativeCatchUpWait = 10 * time.Second

	// nativeTick is how often is looked whether something takes too long, while something is under way.
	nativeTick = 200 * time.Millisecond
)

// A nativeUI is the chat over the native protocol without its terminal: lines in, lines out.
//
// Two goroutines: run carries out what the user types, one line after the other; show prints what happens. Beside them one
// for each file that is under way.
type nativeUI struct {
	client      *client.Client
	out         chatOutput
	server      string
	interactive bool            // Somebody watches: a line that cannot be carried out is their business, not the exit code's.
	hurry       <-chan struct{} // Closed when the user does not want to wait at the end; nil: never.
	history     int             // How much of the past is shown when entering a room.
	files       string          // Where files go.
	ends        *ends           // What has become of what we said.
	live        liveLink        // Owned by run.
	transfers   sync.WaitGroup  // Files under way.

	current place             // Owned by run: where lines go; the zero place: nowhere.
	entered []place           // Owned by run: in the order they were.
	unsaid  []*client.Message // Owned by run: said, and perhaps not stored yet.
	refused int               // Owned by run: lines that could not be carried out.

	mu     sync.Mutex
	oldest map[string]uint64 // Guarded by mu: the lowest number shown of each log.
	shared []client.Said     // Guarded by mu: announcements of files, by the number that is shown.
	took   []time.Duration   // Guarded by mu: how long messages of others were on their way, of late.
	direct map[string]bool   // Guarded by mu: with whom there is a direct connection.
}

// A place is a room or a direct conversation.
type place struct {
	log  string
	name string // As it is typed and shown: a room's name, or @ and the other account's.
}

// placeOf returns where something happened.
func placeOf(log, peer string) place {
	if peer != "" {
		return place{log, "@" + peer}
	}
	return place{log, log}
}

// run enters the rooms and carries out lines until they end, the user quits, the account ends or ctx does. It closes the
// client before it returns, and returns what to report.
func (u *nativeUI) run(ctx context.Context, rooms []string, in *chatInput) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	u.oldest, u.ends = make(map[string]uint64), newEnds()
	var showing sync.WaitGroup
	showing.Go(func() { // Owns the client's events; ends with the client.
		u.show()
		stop(errEnded)
	})
	err := u.converse(ctx, rooms, in)
	u.live.stop()
	if err == nil {
		err = u.flush(ctx)
	}
	ended, unstored := u.client.Err(), u.client.Link().Unstored
	_ = u.client.Close() // What it could still say is known.
	u.transfers.Wait()
	showing.Wait()
	failed := u.ends.failures()
	switch {
	case ended != nil:
		return failures(u.explainEnd(ended))
	case errors.Is(err, context.Canceled):
		if unstored > 0 {
			return failures(fmt.Errorf("interrupted before the server had stored %d of your messages", unstored))
		}
		return nil
	case err != nil:
		return failures(err)
	case u.refused > 0 && !u.interactive:
		return failures(fmt.Errorf("%d of the lines could not be carried out", u.refused))
	case failed > 0 && !u.interactive:
		return failures(fmt.Errorf("%d of the messages and files were refused", failed))
	}
	return failures(u.out.unwritten())
}

// errEnded is why lines are not carried out any more when the client has ended.
var errEnded = errors.New("the account is logged out")

// explainEnd says why the client has ended by itself.
func (u *nativeUI) explainEnd(err error) error {
	switch {
	case errors.Is(err, client.ErrElsewhere):
		return advise(fmt.Errorf("another client has taken over as this device"), "Perhaps a copy of this machine's files is used elsewhere. /logout there or here, and log in anew.")
	case errors.Is(err, client.ErrLoggedOut):
		return advise(fmt.Errorf("%s has logged this device out", u.server), "Its token was revoked, or the guest's time is over. Start the same command again to log in.")
	}
	if e, ok := isKeyError(err); ok {
		return advise(e, "%s", e.advice())
	}
	if e, ok := errors.AsType[*reliable.KeyError](err); ok { // The client keeps to the key it has met first.
		return advise(fmt.Errorf("%s is another server now: it has the key %v, not %v", u.server, e.Got, e.Want),
			"Either the server was set up anew, or somebody sits between you and it. Ask who runs it.\n"+
				"Start the same command again to see what to do if the new key is right.")
	}
	return fmt.Errorf("the chat has ended: %s", nativeReason(err))
}

// converse is the main loop of run. A nil error means that nobody has anything more to say.
func (u *nativeUI) converse(ctx context.Context, rooms []string, in *chatInput) error {
	for _, room := range rooms {
		if err := u.carryOut(ctx, "/join "+room); err != nil {
			if u.interactive && ctx.Err() == nil {
				u.refuse(err)
				continue
			}
			return u.reason(ctx, err)
		}
	}
	for {
		u.out.prompt(u.current.name)
		line, err := in.next(ctx)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errLineTooLong):
			u.refuse(err)
			continue
		case err != nil:
			return u.reason(ctx, err)
		}
		err = u.carryOut(ctx, line)
		switch {
		case errors.Is(err, errQuit):
			return nil
		case ctx.Err() != nil:
			return u.reason(ctx, err)
		case err != nil:
			u.refuse(err)
		}
	}
}

// reason returns why the chat ends: what has stopped ctx, if anything has, and else err.
func (u *nativeUI) reason(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// refuse says why a line was not carried out.
func (u *nativeUI) refuse(err error) {
	u.refused++
	u.out.problem(clean.Line(err.Error()))
}

// carryOut does what one line asks for. The error says why it could not.
func (u *nativeUI) carryOut(ctx context.Context, line string) error {
	switch {
	case !utf8.ValidString(line):
		return errors.New("nothing was done: the line is not text in UTF-8")
	case strings.HasPrefix(line, "//"):
		return u.say(ctx, u.current, line[1:])
	case strings.HasPrefix(line, "/"):
		return u.command(ctx, line)
	case strings.TrimSpace(line) == "":
		return nil
	}
	return u.say(ctx, u.current, line)
}

// say queues a text. It waits only when too much is waiting already: until the first of that is stored.
func (u *nativeUI) say(ctx context.Context, where place, text string) error {
	if where.log == "" {
		return errors.New("not sent, because you are in no room: /join ROOM enters one")
	}
	for {
		m, err := u.client.Send(where.log, text)
		for len(u.unsaid) > 0 && u.unsaid[0].Status().State >= client.Stored {
			u.ends.came(u.unsaid[0].Log, u.unsaid[0].Status())
			u.unsaid = u.unsaid[1:]
		}
		if err == nil {
			u.unsaid = append(u.unsaid, m)
			return nil
		}
		if !errors.Is(err, client.ErrFull) || len(u.unsaid) == 0 {
			return inNative("not sent", err)
		}
		select {
		case <-u.unsaid[0].Done():
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// flush waits until everything said is stored and files have been carried over. Who watches and has to wait is told so.
func (u *nativeUI) flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, nativeFlushWait)
	defer cancel()
	stop := func() {}
	if u.interactive {
		t := time.AfterFunc(chatHintAfter, func() {
			u.out.event("* Waiting until the server has everything you said. Ctrl-C gives up.")
		})
		stop = func() { t.Stop() }
	}
	defer stop()
	done := make(chan struct{})
	go func() { // Ends when the files are there, or with the client, which stops them.
		u.transfers.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	case <-u.hurry:
	}
	err := u.client.Flush(ctx)
	if err == nil {
		u.catchUp(ctx)
	}
	unstored, ok := errors.AsType[*client.UnstoredError](err)
	switch {
	case !ok || unstored.Messages == 0:
		return nil // What else is wrong, the client's own end says.
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("interrupted before the server had stored %d of your messages", unstored.Messages)
	}
	return fmt.Errorf("%s has not stored %d of your messages", u.server, unstored.Messages)
}

// catchUp waits until what is stored was shown, too, for a while: it comes back with what others say.
func (u *nativeUI) catchUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, nativeCatchUpWait)
	defer cancel()
	for _, m := range u.unsaid { // All of them have come to an end.
		u.ends.came(m.Log, m.Status())
	}
	u.unsaid = nil
	for !u.ends.allShown(u.client.Followed()) {
		select {
		case <-u.ends.changed:
		case <-ctx.Done():
			return
		}
	}
}

// inNative says what did not happen and why.
func inNative(what string, err error) error {
	if err == nil {
		return nil
	}
	return &chatError{what + ": " + nativeReason(err), err}
}

// nativeReason is why something did not work, in words for the user.
func nativeReason(err error) string {
	if e, ok := errors.AsType[native.Error](err); ok {
		return refusalText(e)
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "the server does not answer"
	case errors.Is(err, client.ErrSilent):
		return "it fell silent"
	case errors.Is(err, reliable.ErrForgotten):
		return "it had forgotten the connection" // It was started again, or had given us up.
	case isTimeout(err):
		return "nothing heard from it for too long"
	case errors.Is(err, client.ErrUnknown):
		return "nobody knows whether it was stored"
	}
	text := err.Error()
	if op, ok := errors.AsType[*net.OpError](err); ok {
		text = op.Err.Error() // Without the addresses, which are known.
	}
	for cut := true; cut; { // What the layers were doing says nothing to the user.
		cut = false
		for _, layer := range []string{"client: ", "reliable: ", "message: reading: ", "saying: "} {
			rest, ok := strings.CutPrefix(text, layer)
			text, cut = rest, cut || ok
		}
	}
	return clean.Line(text)
}

// isTimeout reports whether a connection ended because the other side was not heard any more.
func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}
