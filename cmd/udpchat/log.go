package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"

	"udpchat/config"
)

// newLogger writes what cfg asks for to w. Whatever the format, text from strangers (names, errors that quote them) is
// escaped: no line break, control character or invisible sign of theirs reaches a terminal or a log file.
func newLogger(cfg config.Config, w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.LogLevel)); err != nil {
		return nil, fmt.Errorf("log_level: %w", err)
	}
	opts := &slog.HandlerOptions{Level: level}
	switch {
	case cfg.LogFormat == "json":
		opts.ReplaceAttr = printable
		return slog.New(slog.NewJSONHandler(w, opts)), nil
	case cfg.LogFormat == "auto" && isTerminal(w):
		opts.ReplaceAttr = timeOfDay
	}
	return slog.New(slog.NewTextHandler(w, opts)), nil // It quotes whatever is not printable.
}

// isTerminal reports whether somebody sits at the stream, which is read from or written to.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// terminalColumns returns what says how wide the terminal at the stream is; nil where nobody sits, or lines cannot be drawn again.
func terminalColumns(stream any) func() int {
	f, ok := stream.(*os.File)
	if !ok || !isTerminal(f) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return func() int {
		columns, _, err := term.GetSize(int(f.Fd()))
		if err != nil || columns <= 0 {
			return 80 // What does not say is as wide as terminals always were.
		}
		return columns
	}
}

// timeOfDay shortens the time for people who watch.
func timeOfDay(groups []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey && len(groups) == 0 {
		return slog.String(slog.TimeKey, a.Value.Time().Format(time.TimeOnly))
	}
	return a
}

// printable escapes what is not printable in strings, errors and everything else that would be written as text: JSON
// leaves C1 controls, right-to-left marks and invisible signs as they are.
func printable(_ []string, a slog.Attr) slog.Attr {
	a.Value = a.Value.Resolve()
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(escape(a.Value.String()))
	case slog.KindAny:
		switch v := a.Value.Any().(type) {
		case *slog.Source, slog.Level: // The handler's own.
		case error:
			a.Value = slog.StringValue(escape(v.Error()))
		default:
			a.Value = slog.StringValue(escape(fmt.Sprint(v)))
		}
	}
	return a
}

// escape returns s with everything that is not printable written as Go would write it in a string.
func escape(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return s
	}
	q := strconv.Quote(s)
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}
