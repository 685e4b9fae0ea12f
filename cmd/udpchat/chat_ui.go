package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	wire "udpchat/chat/wire/lab"
	"udpchat/client/clean"
	"udpchat/client/lab"
	"udpchat/reliable"
)

const (
	// chatAnswerWait bounds each command that waits for the server. It is longer than the 5 s in which a server tries to
	// reach a callback address.
	chatAnswerWait = 10 * time.Second

	// chatFlushWait bounds waiting, at the end, for what was said to come back.
	chatFlushWait = 10 * time.Second

	// chatHintAfter is after what time of waiting at the end the person at the terminal is told what for.
	chatHintAfter = time.Second

	// chatGoodbyeWait bounds saying goodbye.
	chatGoodbyeWait = 2 * time.Second

	// chatSayEvery and chatSayBurst pace a script that says much: servers take 1,000 requests a second from a connection,
	// with bursts of 2,000, and end the conversation of who asks for more.
	chatSayEvery = 2 * time.Millisecond
	chatSayBurst = 1000
)

// A chatter is what the chat needs of a client: lab.Client, or a fake.
type chatter interface {
	Join(ctx context.Context, room string) (lab.Room, error)
	Leave(ctx context.Context, room string) error
	Say(ctx context.Context, room, text string) error
	Hello(ctx context.Context, text string) (wire.HeloReply, error)
	Flush(ctx context.Context) error
	Disconnect(ctx context.Context) error
	Rooms() []lab.Room
	Events() <-chan lab.Event
	Err() error
	LocalAddr() net.Addr
	RemoteAddr() net.Addr
	Callback() netip.AddrPort
	LinkStats() (reliable.ConnStats, bool)
	CallbackStats() (reliable.ConnStats, bool)
}

// A chatUI is the chat without its terminal: lines in, lines out.
//
// Two goroutines: run carries out what the user types, one line after the other; show prints what the server sends.
// They share nothing but the client, which may be used by both, and out, which may be too.
type chatUI struct {
	client            chatter
	out               chatOutput
	server, transport string
	interactive       bool            // Somebody watches: a line that cannot be sent is their business, not the exit code's.
	hurry             <-chan struct{} // Closed when the user does not want to wait for the goodbye; nil: never.
	silence           silenceWatch
	live              liveLink // Owned by run.

	current string    // Owned by run: where lines go; empty if nowhere.
	entered bool      // Owned by run: a room has let us in.
	paced   time.Time // Owned by run: when everything said so far is paid for, at one line each chatSayEvery.
	refused int       // Owned by run: lines that could not be sent or understood.
	foreign bool      // Owned by show, read after its end: the server has said something that is not of this protocol.
	failure error     // Owned by show, read after its end: why the chat must end with exit code 1.
}

// run joins the rooms and carries out lines until they end, the user quits, the server refuses something, the
// connection is lost or ctx ends. It says goodbye and closes the client before it returns, and returns what to report.
func (u *chatUI) run(ctx context.Context, rooms []string, in *chatInput) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var showing sync.WaitGroup
	showing.Go(func() { u.show(stop) }) // Owns the client's events; ends with the client.
	err := u.converse(ctx, rooms, in)
	u.live.stop()
	if err == nil {
		err = u.flush(ctx)
	}
	if u.goodbye(ctx) { // What still runs ends with the process.
		return failures(errors.New("quit by a second Ctrl-C or signal, before the server has heard the goodbye"))
	}
	showing.Wait()
	stop(nil)
	u.silence.tasks.Wait()
	switch {
	case !u.entered && (isRefusal(u.failure) || len(rooms) > 0 && !errors.Is(err, context.Canceled)):
		return u.notLetIn(err)
	case u.failure != nil:
		return failures(u.failure)
	case errors.Is(err, context.Canceled):
		return nil // Interrupted, and goodbye said.
	case err != nil:
		return failures(err)
	case u.refused > 0 && !u.interactive:
		return failures(fmt.Errorf("%d of the lines could not be carried out", u.refused))
	}
	return failures(u.out.unwritten())
}

// notLetIn says why no room was entered, which in this protocol is what a log-in is in others.
func (u *chatUI) notLetIn(err error) error {
	if u.failure != nil {
		err = u.failure
	}
	switch {
	case isRefusal(err):
		return err
	case u.foreign:
		return advise(fmt.Errorf("%s does not speak the lab protocol", u.server), "What it said is shown above. "+onePort+"\n"+
			"Without --protocol lab the native one is spoken.")
	case errors.Is(err, context.DeadlineExceeded):
		return advise(fmt.Errorf("%s does not answer", u.server), "It lets clients connect and says nothing. "+onePort+"\n"+
			"Without --protocol lab the native one is spoken. Or it is overloaded.")
	}
	return err
}

// onePort is why a server may not understand us.
const onePort = "Perhaps this port is for another protocol:\nwhat udpchat serve prints when it starts says which are spoken where."

// goodbye disconnects and closes the client, also after a refusal, so that the others see us leave at once. It reports
// whether the user did not want to wait for that.
func (u *chatUI) goodbye(ctx context.Context) (hurried bool) {
	done := make(chan struct{})
	// Owns ending the client; ends a few seconds after chatGoodbyeWait at the latest, or with the process.
	go func() {
		defer close(done)
		bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), chatGoodbyeWait)
		defer cancel()
		_ = u.client.Disconnect(bye) // Its error matters to nobody any more.
	}()
	defer u.hint("* Saying goodbye. Ctrl-C quits at once.")()
	select {
	case <-done:
		return false
	case <-u.hurry:
		return true
	}
}

// hint tells the person at the terminal, if there is one, what takes so long, unless stop is called before.
func (u *chatUI) hint(text string) (stop func()) {
	if !u.interactive {
		return func() {}
	}
	done := make(chan struct{})
	t := time.AfterFunc(chatHintAfter, func() {
		defer close(done)
		u.out.event(text)
	})
	return func() {
		if !t.Stop() {
			<-done // The terminal is about to be put back.
		}
	}
}

// show prints events until there are no more. The first refusal, or the loss of the connection, stops the rest.
func (u *chatUI) show(stop context.CancelCauseFunc) {
	for ev := range u.client.Events() {
		u.silence.hear(time.Now())
		if ev.Kind == lab.KindError {
			if u.failure == nil {
				u.failure = refusal(ev.Err)
				stop(u.failure)
			}
			continue
		}
		if ev.Kind == lab.KindUnknown {
			u.foreign = true
			u.out.problem("the server sent something that is not of this protocol: " + clean.Line(ev.Text))
			continue
		}
		if line := showEvent(ev); line != "" {
			u.out.event(line)
		}
	}
	if err := u.client.Err(); err != nil && u.failure == nil {
		u.failure = loss(u.server, err)
		stop(u.failure)
	}
}

// converse joins the rooms and carries out the lines of in. It returns nil when they end or the user quits.
func (u *chatUI) converse(ctx context.Context, rooms []string, in *chatInput) error {
	for _, room := range rooms {
		if err := u.join(ctx, room); err != nil {
			return u.reason(ctx, err)
		}
	}
	for {
		u.out.prompt(u.current)
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
		u.watchSilence(ctx)
		switch {
		case errors.Is(err, errQuit):
			return nil
		case ctx.Err() != nil || u.client.Err() != nil || isRefusal(err):
			return u.reason(ctx, err)
		case err != nil:
			u.refuse(err)
		}
	}
}

// errQuit is what /quit returns.
var errQuit = errors.New("quit")

// carryOut does what one line asks for. The error says why it could not.
func (u *chatUI) carryOut(ctx context.Context, line string) error {
	ctx, cancel := context.WithTimeout(ctx, chatAnswerWait)
	defer cancel()
	switch {
	case strings.HasPrefix(line, "//"):
		return u.say(ctx, line[1:])
	case strings.HasPrefix(line, "/"):
		return chatCommands().carryOut(u, ctx, line)
	case strings.TrimSpace(line) == "":
		return nil
	}
	return u.say(ctx, line)
}

func (u *chatUI) say(ctx context.Context, text string) error {
	if u.current == "" {
		return errors.New("not sent, because you are in no room: /join ROOM enters one")
	}
	u.pace(time.Now())
	return inWords("not sent", u.client.Say(ctx, u.current, text))
}

// pace waits until one more line may be said. It waits for one line at most, so nobody needs to interrupt it.
func (u *chatUI) pace(now time.Time) {
	if u.paced.Before(now) {
		u.paced = now
	}
	u.paced = u.paced.Add(chatSayEvery)
	time.Sleep(u.paced.Sub(now) - chatSayBurst*chatSayEvery)
}

func (u *chatUI) join(ctx context.Context, room string) error {
	ctx, cancel := context.WithTimeout(ctx, chatAnswerWait)
	defer cancel()
	r, err := u.client.Join(ctx, room)
	if err != nil {
		return inWords("not joined", err)
	}
	u.current, u.entered = r.Name, true
	return nil
}

// flush waits until what was said has come back. Who watches and has to wait is told so.
func (u *chatUI) flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, chatFlushWait)
	defer cancel()
	defer u.hint("* Waiting until the server has everything you said. Ctrl-C gives up.")()
	err := u.client.Flush(ctx)
	if err == nil {
		return nil
	}
	if err = u.reason(ctx, err); errors.Is(err, context.Canceled) {
		return errors.New("interrupted before the server had everything that was said")
	}
	return err
}

// reason returns why the chat ends: what has stopped ctx, if anything has, and else err.
func (u *chatUI) reason(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.DeadlineExceeded) {
		return cause
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &chatError{u.server + " does not answer: " + bare(err), err}
	}
	return err
}

// refuse says why a line was not carried out.
func (u *chatUI) refuse(err error) {
	u.refused++
	u.out.problem(clean.Line(err.Error()))
}
