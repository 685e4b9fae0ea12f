package main

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// helpColumns is how wide --help is: a terminal that nobody has widened.
const helpColumns = 80

// exitsKey is the annotation with what --help shows of a command's exit codes.
const exitsKey = "exits"

// layOut has --help of all commands fit into a terminal, and end with the exit codes.
func layOut(root *cobra.Command) {
	template := strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages", fmt.Sprint(".FlagUsagesWrapped ", helpColumns))
	root.SetUsageTemplate(template + "{{with .Annotations." + exitsKey + "}}\nExit codes:\n{{.}}{{end}}")
	var each func(*cobra.Command)
	each = func(cmd *cobra.Command) {
		cmd.Long = fold(cmd.Long)
		if !cmd.HasParent() || !cmd.HasSubCommands() { // What only names others has nothing of its own to say.
			cmd.Annotations = map[string]string{exitsKey: exitsOf(cmd).help()}
		}
		for _, sub := range cmd.Commands() {
			each(sub)
		}
	}
	each(root)
}

// help is e as --help shows it.
func (e exit) help() string {
	var b strings.Builder
	for code, means := range []string{exitOK: e.ok, exitFailures: e.failures, exitUsage: "wrong use; " + e.usage} {
		if means != "" {
			foldInto(&b, fmt.Sprintf("  %d  ", code), "     ", means)
		}
	}
	return b.String()
}

// fold breaks the paragraphs of a text into lines of helpColumns. Of lines that begin with a space only those that are longer
// are broken, below the column where their text begins; command lines never are, since people copy them.
func fold(text string) string {
	var b strings.Builder
	var paragraph []string
	flush := func() {
		if len(paragraph) > 0 {
			foldInto(&b, "", "", strings.Join(paragraph, " "))
			paragraph = nil
		}
	}
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) != "" && line[0] != ' ' {
			paragraph = append(paragraph, strings.TrimSpace(line))
			continue
		}
		flush()
		if at := textColumn(line); at > 0 && utf8.RuneCountInString(line) > helpColumns {
			foldInto(&b, line[:at], strings.Repeat(" ", utf8.RuneCountInString(line[:at])), line[at:])
			continue
		}
		b.WriteString(line)
	}
	flush()
	return b.String()
}

// textColumn returns where the text of an indented line begins: behind the word or words that two spaces set apart, if there
// are any. A command line has none: 0.
func textColumn(line string) int {
	text := strings.TrimLeft(line, " ")
	indent := len(line) - len(text)
	if strings.HasPrefix(text, "udpchat ") {
		return 0
	}
	if _, column, ok := strings.Cut(text, "  "); ok {
		return len(line) - len(strings.TrimLeft(column, " "))
	}
	return indent
}

// foldInto writes the words of text in lines of helpColumns. The first begins with first, the others with indent.
func foldInto(b *strings.Builder, first, indent, text string) {
	b.WriteString(first)
	at, begun := utf8.RuneCountInString(first), false
	for _, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case begun && at+1+n > helpColumns:
			b.WriteString("\n" + indent)
			at = utf8.RuneCountInString(indent)
		case begun:
			b.WriteString(" ")
			at++
		}
		b.WriteString(word)
		at, begun = at+n, true
	}
	b.WriteString("\n")
}
