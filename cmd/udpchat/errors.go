package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// foundFailures is an error that came when the work had begun: it ends with exitFailures.
type foundFailures struct{ err error }

func (e *foundFailures) Error() string { return e.err.Error() }
func (e *foundFailures) Unwrap() error { return e.err }

// failures marks err so that the process ends with exit code 1 instead of 2. A nil err stays nil.
func failures(err error) error {
	if err == nil {
		return nil
	}
	return &foundFailures{err: err}
}

// advised is an error that says what the user can do about it.
type advised struct {
	err    error
	advice string
}

func (e *advised) Error() string { return e.err.Error() }
func (e *advised) Unwrap() error { return e.err }

// advise attaches what the user can do about err, printed on a line of its own. A nil err stays nil.
func advise(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return &advised{err: err, advice: fmt.Sprintf(format, args...)}
}

// report prints err and its advice to w and returns the exit code that belongs to it.
func report(w io.Writer, err error) int {
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, context.Canceled): // By a signal: commands for which that is no failure do not return it.
		fmt.Fprintln(w, "udpchat: interrupted")
		return exitFailures
	}
	fmt.Fprintf(w, "udpchat: %s\n", err)
	if a, ok := errors.AsType[*advised](err); ok {
		for line := range strings.Lines(a.advice) {
			fmt.Fprintf(w, "  %s\n", strings.TrimRight(line, "\n"))
		}
	}
	if _, ok := errors.AsType[*foundFailures](err); ok {
		return exitFailures
	}
	return exitUsage
}
