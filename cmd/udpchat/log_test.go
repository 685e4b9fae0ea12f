package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"unicode"

	"udpchat/config"
)

// What a stranger may put into a name or an error: a line of their own, a terminal command, text that runs backwards.
const hostile = "eve\nlevel=ERROR msg=forged\x1b[2J\u009b\u202eevil\u200b"

func TestLogEscapesTextOfStrangers(t *testing.T) {
	for _, format := range []string{"auto", "text", "json"} {
		t.Run(format, func(t *testing.T) {
			var b strings.Builder
			log, err := newLogger(config.Config{LogLevel: "info", LogFormat: format}, &b)
			if err != nil {
				t.Fatal(err)
			}
			log.With("user", hostile).WithGroup("g").Info("session ended",
				"err", errors.New(hostile), "wrapped", fmt.Errorf("a: %w", errors.New(hostile)),
				"peer", netip.MustParseAddrPort("127.0.0.1:1"), "any", []string{hostile},
				slog.Group("in", "name", hostile))
			line, rest, _ := strings.Cut(b.String(), "\n")
			if rest != "" || strings.Count(line, "forged") != 5 || !strings.Contains(line, "127.0.0.1:1") {
				t.Errorf("not one line with everything in it: %q", b.String())
			}
			if i := strings.IndexFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
				t.Errorf("unprintable at %d of %q", i, line)
			}
		})
	}
}

func TestLogLevel(t *testing.T) {
	var b strings.Builder
	log, err := newLogger(config.Config{LogLevel: "warn", LogFormat: "text"}, &b)
	if err != nil {
		t.Fatal(err)
	}
	log.Info("no")
	log.Warn("yes")
	if got := b.String(); strings.Contains(got, "no") || !strings.Contains(got, "level=WARN msg=yes") {
		t.Errorf("got %q", got)
	}
}

func TestReportChoosesExitCode(t *testing.T) {
	base := errors.New("it broke")
	tests := []struct {
		err  error
		code int
		text string
	}{
		{nil, 0, ""},
		{base, 2, "udpchat: it broke\n"},
		{failures(base), 1, "udpchat: it broke\n"},
		{advise(base, "Try %s.\nOr not.", "this"), 2, "udpchat: it broke\n  Try this.\n  Or not.\n"},
		{fmt.Errorf("serve: %w", advise(failures(base), "Try.")), 1, "udpchat: serve: it broke\n  Try.\n"},
		{failures(nil), 0, ""},
		{advise(nil, "x"), 0, ""},
	}
	for _, tt := range tests {
		var b strings.Builder
		if code := report(&b, tt.err); code != tt.code || b.String() != tt.text {
			t.Errorf("report(%v) = %d, %q; want %d, %q", tt.err, code, b.String(), tt.code, tt.text)
		}
	}
}
