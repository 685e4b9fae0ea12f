package main

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"golang.org/x/term"

	"udpchat/client/clean"
	"udpchat/client/lab"
)

// A chatOutput shows lines. Its methods may be called concurrently, and take text that is safe to print.
type chatOutput interface {
	event(line string)   // Something that happened, or an answer.
	problem(line string) // Something that could not be done.
	prompt(room string)  // The next line of input will be said in room; empty if nowhere.
	unwritten() error    // Why an event could not be shown to whom it was for; nil if all were.
}

// showEvent returns the line for an event, or nothing if there is nothing to show.
func showEvent(ev lab.Event) string {
	room := shownName(ev.Room)
	if ev.Room == "" {
		room = "#" + shownName(ev.Ref) // A room we do not know by name.
	}
	switch ev.Kind {
	case lab.KindSaid:
		return fmt.Sprintf("[%s] %s: %s", room, shownName(ev.Name), clean.Line(ev.Text))
	case lab.KindNotice:
		return fmt.Sprintf("* [%s] %s%s", room, shownName(ev.Name), clean.Line(strings.TrimPrefix(ev.Text, ev.Name)))
	}
	return "" // Joining and leaving are announced by notices; greetings are for those who asked.
}

// shownName returns a name that is safe to print and cannot be mistaken for the punctuation around it.
func shownName(name string) string {
	name = clean.Name(name)
	if strings.ContainsAny(name, `[]:"*`) {
		return `"` + strings.ReplaceAll(name, `"`, "'") + `"`
	}
	return name
}

// A scriptOutput writes events to one stream and problems to another, a line each, and no prompts.
type scriptOutput struct {
	mu            sync.Mutex // Keeps lines whole; nobody waits for it but the other goroutine that prints.
	events, other io.Writer  // Guarded by mu.
	err           error      // Guarded by mu: the first event that could not be written.
}

func (o *scriptOutput) event(line string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, err := fmt.Fprintln(o.events, line); err != nil && o.err == nil {
		o.err = fmt.Errorf("writing what was said: %w", err)
	}
}

// unwritten is why an event could not be written, or nil.
func (o *scriptOutput) unwritten() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

func (o *scriptOutput) problem(line string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	fmt.Fprintln(o.other, "udpchat:", line)
}

func (o *scriptOutput) prompt(string) {}

// A terminalOutput writes above the line that is being typed, which the terminal draws again below.
type terminalOutput struct {
	t    *term.Terminal
	size func() (width, height int, err error)
}

func (o *terminalOutput) event(line string) { o.write(line) }

func (o *terminalOutput) problem(line string) { o.write("! " + line) }

// unwritten is nil: a terminal that is gone ends the input.
func (o *terminalOutput) unwritten() error { return nil }

func (o *terminalOutput) write(line string) {
	o.resize()
	_, _ = io.WriteString(o.t, line+"\n") // A terminal that is gone ends the input too.
}

// resize tells the terminal how large its window has become. It must not be called while the terminal waits for us.
func (o *terminalOutput) resize() {
	if w, h, err := o.size(); err == nil && w > 0 && h > 0 {
		_ = o.t.SetSize(w, h) // Only the look suffers.
	}
}

func (o *terminalOutput) prompt(room string) {
	o.resize()
	if room == "" {
		o.t.SetPrompt("> ")
		return
	}
	o.t.SetPrompt("[" + shownName(room) + "] > ")
}
