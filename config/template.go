package config

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
)

const templateHead = `# Settings of 'udpchat serve --config FILE'.
#
# Every setting stands here with its default; take the # away to change one. A flag wins over an environment variable,
# a variable over this file. 'udpchat config check FILE' finds mistakes, 'udpchat config show' what is in effect and why.
`

// listenExample shows the long form of the one setting that is a list.
const listenExample = `# More listeners are a list:
#
#   listen:
#     - address: :4000            # tcp, udp and plain text datagrams on one port number
#     - address: 127.0.0.1:4001
#       transport: tcp
#       protocol: lab
#
`

// Template is a file with every setting, commented out at its default, with what it means and what is allowed.
func Template() []byte {
	var b bytes.Buffer
	b.WriteString(templateHead)
	for _, f := range fields() {
		fmt.Fprintf(&b, "\n")
		for _, line := range wrap(sentence(strings.ReplaceAll(f.usage, "`", "")), 110) {
			fmt.Fprintf(&b, "# %s\n", line)
		}
		for _, line := range wrap("Allowed: "+f.allowed()+".", 110) {
			fmt.Fprintf(&b, "# %s\n", line)
		}
		fmt.Fprintf(&b, "# Flag --%s, variable %s.\n", f.flag, f.env)
		if f.key == "listen" {
			b.WriteString(listenExample)
		}
		def := f.def
		if f.typ.Kind() == reflect.String || f.typ.Kind() == reflect.Slice {
			def = fmt.Sprintf("%q", f.def)
		}
		fmt.Fprintf(&b, "#%s: %s\n", f.key, def)
	}
	return b.Bytes()
}

// sentence makes a usage text, which starts small and has no full stop, stand on its own.
func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] + "." }

// wrap breaks s at spaces into lines of at most width bytes where it can.
func wrap(s string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(s) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
