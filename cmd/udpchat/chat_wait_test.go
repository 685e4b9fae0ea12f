package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"udpchat/client/lab"
)

// scriptedInput has the lines, and then none, until the test adds one.
func scriptedInput(lines ...string) *chatInput {
	in := &chatInput{want: make(chan struct{}, 100), lines: make(chan inputLine, len(lines)+1)}
	for _, line := range lines {
		in.lines <- inputLine{text: line}
	}
	return in
}

// goodbyeClient does not hear the answer to its goodbye.
type goodbyeClient struct{ *fakeClient }

func (f goodbyeClient) Disconnect(ctx context.Context) error {
	<-ctx.Done()
	return f.fakeClient.Disconnect(ctx)
}

func TestChatSecondInterruptDoesNotWaitForTheGoodbye(t *testing.T) {
	for _, times := range []int{1, 2} {
		synctest.Test(t, func(t *testing.T) {
			ctx, i, stop := watchInterruptsOnly(t.Context())
			defer stop()
			for n := range times {
				time.AfterFunc(time.Minute+time.Duration(n)*time.Second/2, i.again)
			}
			u := &chatUI{
				client: goodbyeClient{newFakeClient()}, out: &scriptOutput{events: io.Discard, other: io.Discard}, hurry: i.hurry,
			}
			start := time.Now()
			err := u.run(ctx, []string{"a"}, waitingInput())
			took, code := time.Since(start)-time.Minute, report(io.Discard, err)
			time.Sleep(chatGoodbyeWait) // What would end with the process ends.
			if times == 1 && (took != chatGoodbyeWait || code != exitOK) {
				t.Errorf("one interruption: ended after %v with %v, want %v and success", took, err, chatGoodbyeWait)
			}
			if times == 2 && (took != time.Second/2 || code != exitFailures) {
				t.Errorf("two interruptions: ended after %v with %v, want at once and a failure", took, err)
			}
		})
	}
}

// watchInterruptsOnly is watchInterrupts without signals, which do not work in a bubble.
func watchInterruptsOnly(ctx context.Context) (context.Context, *interruption, func()) {
	ctx, cancel := context.WithCancel(ctx)
	return ctx, &interruption{end: cancel, hurry: make(chan struct{})}, cancel
}

func TestChatInterruptWhileWaitingForWhatWasSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeClient()
		f.flush = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		time.AfterFunc(3*time.Second, cancel)
		var shown bytes.Buffer
		u := &chatUI{client: f, out: &scriptOutput{events: &shown, other: io.Discard}, interactive: true}
		err := u.run(ctx, []string{"a"}, scriptedInput("hello", "/quit"))
		if report(io.Discard, err) != exitFailures || !strings.Contains(err.Error(), "before the server had everything") {
			t.Errorf("run: %v, want that not everything was delivered", err)
		}
		if !strings.Contains(shown.String(), "Ctrl-C gives up") {
			t.Errorf("shown:\n%s\nwithout what we wait for", shown.String())
		}
	})
}

func TestChatTellsOfASilentServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeClient()
		back := make(chan struct{}) // Closed when what was said comes back.
		f.say = func(context.Context, string) error { return nil }
		f.flush = func(ctx context.Context) error {
			select {
			case <-back:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		var shown bytes.Buffer
		in := scriptedInput("hello")
		u := &chatUI{client: f, out: &scriptOutput{events: &shown, other: &shown}, interactive: true}
		time.AfterFunc(2*chatPatience+time.Second, func() { close(back) })
		// Somebody else is heard at first, so that the server is not silent.
		time.AfterFunc(time.Second, func() {
			f.events <- lab.Event{Kind: lab.KindSaid, Room: "a", Name: "bob", Text: "hi"}
		})
		time.AfterFunc(time.Minute, func() { in.lines <- inputLine{text: "/quit"} })
		if err := u.run(t.Context(), []string{"a"}, in); err != nil {
			t.Fatal(err)
		}
		want := "* [a] ann has joined this chatroom.\n[a] bob: hi\n" +
			"udpchat: the server has been silent for 5 s; still trying to deliver what you said\n* The server answers again.\n"
		if shown.String() != want {
			t.Errorf("shown\n%s\nwant\n%s", shown.String(), want)
		}
	})
}

func TestKeyboardHearsCtrlCWhileNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, typed := io.Pipe()
		interrupts := 0
		k := newKeyboard(src, func() { interrupts++ }, func() {})
		if _, err := io.WriteString(typed, "ab\x03c"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(typed, "\x03"); err != nil {
			t.Fatal(err)
		}
		typed.Close()
		synctest.Wait()
		if interrupts != 2 {
			t.Errorf("%d interruptions, want 2", interrupts)
		}
		if got, err := io.ReadAll(k); string(got) != "abc" || err != nil {
			t.Errorf("read %q, %v, want the other keys and the end", got, err)
		}
	})
}

func TestKeyboardTakesALongPaste(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		paste := strings.Repeat("line\r", 100_000) // Several times keyboardBytesMax.
		k := newKeyboard(strings.NewReader(paste), func() {}, func() {})
		synctest.Wait() // It has stopped reading ahead.
		if n := len(k.typed); n > keyboardBytesMax+4096 {
			t.Errorf("%d bytes kept, want %d at most", n, keyboardBytesMax+4096)
		}
		if got, err := io.ReadAll(k); string(got) != paste || err != nil {
			t.Errorf("%d bytes, %v; want all %d", len(got), err, len(paste))
		}
	})
}

// fullDisk takes nothing.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestChatScriptWhoseOutputCannotBeWrittenFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := scriptedInput("hello", "/quit")
		u := &chatUI{client: newFakeClient(), out: &scriptOutput{events: fullDisk{}, other: io.Discard}}
		err := u.run(t.Context(), []string{"a"}, in)
		if report(io.Discard, err) != exitFailures || !strings.Contains(err.Error(), "no space left") {
			t.Errorf("run: %v, want that the output could not be written", err)
		}
	})
}
