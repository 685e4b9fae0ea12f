package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"udpchat/client/clean"
)

// A slashCommand is a line of a chat U that begins with a slash. What it wants of the line is in the table, so that /help
// and --help say what is true.
type slashCommand[U any] struct {
	name, args, help string
	run              func(u U, ctx context.Context, arg string) error
}

// slashCommands are all of a chat, in the order of /help.
type slashCommands[U any] []slashCommand[U]

// describe has a line for each command, each after indent.
func (all slashCommands[U]) describe(indent string) string {
	usage := make([]string, len(all))
	wide := 0
	for i, c := range all {
		usage[i] = strings.TrimSpace(c.name + " " + c.args)
		wide = max(wide, len(usage[i]))
	}
	var b strings.Builder
	for i, c := range all {
		fmt.Fprintf(&b, "%s%-*s  %s\n", indent, wide, usage[i], c.help)
	}
	return b.String()
}

// carryOut does what a line that begins with a slash asks for.
func (all slashCommands[U]) carryOut(u U, ctx context.Context, line string) error {
	name, arg, _ := strings.Cut(line, " ")
	arg = strings.TrimSpace(arg)
	i := slices.IndexFunc(all, func(c slashCommand[U]) bool { return c.name == strings.TrimSpace(name) })
	if i < 0 {
		return fmt.Errorf("unknown command %s: /help lists the commands; to say a line that begins with a slash, type two", clean.Name(name))
	}
	c := all[i]
	switch {
	case arg == "" && c.args != "" && !strings.HasPrefix(c.args, "["):
		return fmt.Errorf("usage: %s %s: %s", c.name, c.args, c.help)
	case arg != "" && c.args == "":
		return fmt.Errorf("usage: %s takes no argument: %s", c.name, c.help)
	}
	return c.run(u, ctx, arg)
}

// show answers /help.
func (all slashCommands[U]) show(out chatOutput) {
	out.event("* Lines are said in the current room; those with a slash first are commands:")
	for line := range strings.Lines(fold(all.describe("    "))) {
		out.event("*" + strings.TrimRight(line[1:], "\n"))
	}
}
