package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// helpOf returns what --help says, of every command that people see.
func helpOf(t *testing.T) map[string]string {
	t.Helper()
	help := make(map[string]string)
	var each func(*cobra.Command)
	each = func(cmd *cobra.Command) {
		var out bytes.Buffer
		args := append(strings.Fields(cmd.CommandPath())[1:], "--help")
		if code := run(t.Context(), args, nil, &out, &out); code != exitOK {
			t.Errorf("%s --help: exit code %d", cmd.CommandPath(), code)
		}
		help[cmd.CommandPath()] = out.String()
		for _, sub := range cmd.Commands() {
			if !sub.Hidden {
				each(sub)
			}
		}
	}
	each(newRootCommand())
	return help
}

func TestHelpFitsATerminal(t *testing.T) {
	for command, text := range helpOf(t) {
		for line := range strings.Lines(text) {
			if line = strings.TrimSuffix(line, "\n"); utf8.RuneCountInString(line) > helpColumns {
				t.Errorf("%s --help is wider than %d columns: %q", command, helpColumns, line)
			}
		}
	}
}

func TestHelpNamesADefaultOnce(t *testing.T) {
	for command, text := range helpOf(t) {
		for _, flag := range strings.Split(text, "\n      --")[1:] {
			if strings.Count(flag, "(default") > 1 {
				t.Errorf("%s --help: --%s", command, flag)
			}
		}
	}
}

func TestExitCodesAreOneTable(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	help := helpOf(t)
	for _, e := range exits() {
		if _, ok := help[e.command]; !ok {
			t.Errorf("the exit codes of %q are those of no command", e.command)
		}
		name := "`" + strings.TrimPrefix(e.command, "udpchat ") + "`"
		if e.command == "udpchat" {
			name = "every command"
		}
		if e.failures == "" {
			e.failures = "-"
		}
		if row := fmt.Sprintf("| %s | %s | %s | %s |\n", name, e.ok, e.failures, e.usage); !strings.Contains(string(readme), row) {
			t.Errorf("the README's table of exit codes has no row\n%s", row)
		}
	}
	for command, text := range help {
		if !strings.Contains(text, "\nExit codes:\n") && !slices.Contains([]string{"udpchat bench", "udpchat config", "udpchat credentials"}, command) {
			t.Errorf("%s --help does not say what its exit codes mean", command)
		}
	}
}
