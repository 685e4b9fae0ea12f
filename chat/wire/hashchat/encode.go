package hashchat

import (
	"fmt"
	"strings"
)

// AppendConnect appends CONNECT to b.
func AppendConnect(b []byte, r Connect) []byte {
	return endLine(append(append(b, "CONNECT#"...), oneLine(r.Name)...))
}

// AppendSend appends SEND to b.
func AppendSend(b []byte, r Send) []byte {
	b = append(b, "SEND#"...)
	if r.All {
		b = append(b, '*')
	} else {
		for i, name := range r.To {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, oneLine(name)...)
		}
	}
	b = append(b, '#')
	return endLine(append(b, oneLine(r.Text)...))
}

// AppendRequest appends any request to b.
func AppendRequest(b []byte, r Request) []byte {
	switch r := r.(type) {
	case Connect:
		return AppendConnect(b, r)
	case Send:
		return AppendSend(b, r)
	case Close:
		return append(b, "CLOSE#\n"...)
	case Unknown:
		return endLine(append(b, oneLine(r.Line)...))
	}
	panic(fmt.Sprintf("BUG: hashchat: no such request: %T", r))
}

// CanAddress reports whether others can send to name, and see it, by this protocol: it can stand in a list and is not
// everybody's name.
func CanAddress(name string) bool {
	return name != "" && name != "*" && !strings.ContainsAny(name, ",#\r\n")
}

// AppendOnline appends ONLINE to b. A name that several have is there once. Names that cannot stand there (CanAddress)
// and those beyond OnlineBytesMax are left out. If none is left, nothing is appended: an empty list is not sent.
func AppendOnline(b []byte, r Online) []byte {
	begin := len(b)
	seen := make(map[string]bool, len(r.Names))
	for _, name := range r.Names {
		if seen[name] || !CanAddress(name) || len(b)-begin+len(name) > OnlineBytesMax {
			continue
		}
		seen[name] = true
		if len(seen) == 1 {
			b = append(b, "ONLINE#"...)
		} else {
			b = append(b, ',')
		}
		b = append(b, name...)
	}
	if len(b) == begin {
		return b
	}
	return endLine(b)
}

// CanSpeak reports whether name can be the sender of a MESSAGE.
func CanSpeak(name string) bool { return !strings.ContainsAny(name, "#\r\n") }

// AppendMessage appends MESSAGE to b. A line's end in the text becomes a space. If the sender's name cannot stand there
// (CanSpeak), nothing is appended: what a client would show then was not said by anybody.
func AppendMessage(b []byte, r Message) []byte {
	if !CanSpeak(r.From) {
		return b
	}
	b = append(append(b, "MESSAGE#"...), r.From...)
	b = append(b, '#')
	return endLine(append(b, oneLine(r.Text)...))
}

// AppendClosed appends CLOSE to b.
func AppendClosed(b []byte, r Closed) []byte {
	b = append(b, "CLOSE#"...)
	switch r.Why {
	case WhyUnsaid:
	case WhyNormal:
		b = append(b, '0')
	case WhyIllegal:
		b = append(b, '1')
	case WhyNoUser:
		b = append(b, '2')
	}
	return endLine(b)
}

// AppendReply appends any reply to b.
func AppendReply(b []byte, r Reply) []byte {
	switch r := r.(type) {
	case Online:
		return AppendOnline(b, r)
	case Message:
		return AppendMessage(b, r)
	case Closed:
		return AppendClosed(b, r)
	case UnknownReply:
		return endLine(append(b, oneLine(r.Line)...))
	}
	panic(fmt.Sprintf("BUG: hashchat: no such reply: %T", r))
}

func endLine(b []byte) []byte { return append(b, '\n') }

// oneLine returns s as it can stand in a line: without the line ends at its end, and with a space for every other one.
func oneLine(s string) string {
	s = strings.TrimRight(s, "\r\n")
	if !strings.Contains(s, "\n") {
		return s
	}
	return strings.NewReplacer("\r\n", " ", "\n", " ").Replace(s)
}
