package main

import "github.com/spf13/cobra"

// Exit codes of every subcommand. exits says what they mean for each.
const (
	exitOK       = 0 // All of it was done.
	exitFailures = 1 // It was begun, and something in it failed, or it was interrupted.
	exitUsage    = 2 // Nothing was done: the command was used wrongly or could not begin.
)

// An exit says what the exit codes of a command mean; what a command never ends with is empty.
type exit struct{ command, ok, failures, usage string }

// exits is the one list of exit codes: what --help shows, and the README. Wrong use ends every command with exitUsage, and a
// signal those with exitFailures that are not there to be stopped by one.
func exits() []exit {
	return []exit{
		{"udpchat", "all of it was done", "part of it failed or was interrupted", "nothing was done"},
		{"udpchat serve", "stopped, all were told", "cut short, or it broke", "bad setting, store, key or address"},
		{"udpchat chat", "all said is stored", "a line or message failed, or it was cut off", "no connection, or not let in"},
		{"udpchat link", "stopped", "it broke, or --record did", "no such address or server"},
		{"udpchat proxy", "stopped", "it broke", "no such address, server, key or target"},
		{"udpchat labtest", "all rules passed", "rules failed, or servers of a class", "no server to test"},
		{"udpchat compare", "all runs are whole", "runs, calibration or a report failed", "nothing can run here"},
		{"udpchat bench", "measured", "messages were lost, or the calibration failed", "no figures"},
		{"udpchat config check", "no mistakes", "mistakes", "no such file"},
		{"udpchat config", "done", "", "mistakes, or no file"},
		{"udpchat credentials import", "all lines are in", "lines skipped, or it broke off", "no file, or no store"},
		{"udpchat credentials export", "all accounts are out", "", "no store, or no room: then no file"},
		{"udpchat backup", "the copy is whole", "", "no store, or no room: then no copy"},
		{"udpchat migrate", "all is copied", "it broke off: do it again", "no store, or no cluster"},
	}
}

// exitsOf returns what the codes mean for a command: those of its own line, or of the nearest command above it that has one.
func exitsOf(cmd *cobra.Command) exit {
	for ; cmd != nil; cmd = cmd.Parent() {
		for _, e := range exits() {
			if e.command == cmd.CommandPath() {
				return e
			}
		}
	}
	return exits()[0]
}
