package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	wire "udpchat/chat/wire/lab"
)

// errLineTooLong means that a line of input was longer than any message and was skipped.
var errLineTooLong = fmt.Errorf("not sent: a message has at most %d bytes", wire.TextBytesMax)

// A chatInput hands out lines that a goroutine reads, so that waiting for one can be given up.
//
// It reads one line at a time, and only when asked, so that a prompt set before asking is the one that is shown.
type chatInput struct {
	want  chan struct{}
	lines chan inputLine
}

type inputLine struct {
	text string
	err  error // io.EOF at the end.
}

// newChatInput starts the goroutine that reads. It ends with the first error of read other than errLineTooLong. A
// read of standard input cannot be given up, so nobody waits for it: it ends with the process.
func newChatInput(read func() (string, error)) *chatInput {
	in := &chatInput{want: make(chan struct{}, 1), lines: make(chan inputLine, 1)}
	go func() {
		for range in.want {
			text, err := read()
			in.lines <- inputLine{text, err}
			if err != nil && !errors.Is(err, errLineTooLong) {
				return
			}
		}
	}()
	return in
}

// next returns the next line without its end, or the error of the reader, or why ctx ended.
func (in *chatInput) next(ctx context.Context) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	in.want <- struct{}{}
	select {
	case line := <-in.lines:
		return line.text, line.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// readLine returns the next line of r without its end. A line longer than a message is skipped, to its end, with
// errLineTooLong. A last line without end counts.
func readLine(r *bufio.Reader) (string, error) {
	var b []byte
	tooLong := false
	for {
		part, err := r.ReadSlice('\n')
		if len(b)+len(part) > wire.TextBytesMax+len("/\r\n") { // Room for what is not part of the text.
			tooLong, b = true, nil
		}
		if !tooLong {
			b = append(b, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case tooLong && (err == nil || errors.Is(err, io.EOF)):
			return "", errLineTooLong
		case err == nil || errors.Is(err, io.EOF) && len(b) > 0:
			return strings.TrimRight(string(b), "\r\n"), nil
		default:
			return "", err
		}
	}
}

// chatIO is where the chat reads and writes.
type chatIO struct {
	in          *chatInput
	out         chatOutput
	interactive bool
	restore     func() // Puts the terminal back as it was.
}

// openChatIO uses a terminal if both stdin and stdout are one that can draw, and plain lines otherwise.
// interrupt is called for each Ctrl-C typed.
func openChatIO(stdin io.Reader, stdout, stderr io.Writer, interrupt func()) (*chatIO, error) {
	in, inIsFile := stdin.(*os.File)
	if !inIsFile || !term.IsTerminal(int(in.Fd())) || !isTerminal(stdout) || os.Getenv("TERM") == "dumb" {
		r := bufio.NewReader(stdin)
		return &chatIO{
			in:      newChatInput(func() (string, error) { return readLine(r) }),
			out:     &scriptOutput{events: stdout, other: stderr},
			restore: func() {},
		}, nil
	}
	fd := int(in.Fd())
	old, err := term.MakeRaw(fd)
	if err != nil {
		return nil, fmt.Errorf("preparing the terminal: %w", err)
	}
	out := &terminalOutput{size: func() (int, int, error) { return term.GetSize(fd) }}
	out.t = term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{newKeyboard(stdin, interrupt, out.resize), stdout}, "> ")
	return &chatIO{
		in:          newChatInput(out.t.ReadLine),
		out:         out,
		interactive: true,
		restore: func() {
			// Nothing can be done about a terminal that does not want to be put back. A line of its own for the shell.
			_ = term.Restore(fd, old)
			fmt.Fprintln(stdout)
		},
	}, nil
}
