package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// envPrefix starts the name of every environment variable of ours.
const envPrefix = "UDPCHAT_"

// A field is what the tags of one field of Config say.
type field struct {
	key, flag, env string
	usage          string
	def            string
	typ            reflect.Type
	min, max       int64 // For numbers, durations (in nanoseconds) and lengths of text; both 0: no limit.
	choices        []string
	form           string // "host", "hostport", "patterns", "names", "servers", "file" or "targets"; see Config.
}

// fields reads the tags of Config, in the order of the struct.
func fields() []field {
	t := reflect.TypeFor[Config]()
	fs := make([]field, 0, t.NumField())
	for sf := range t.Fields() {
		f := field{
			key:   sf.Tag.Get("mapstructure"),
			usage: strings.ReplaceAll(sf.Tag.Get("usage"), "'", "`"), // A tag is quoted by backquotes itself.
			def:   sf.Tag.Get("default"),
			typ:   sf.Type,
			form:  sf.Tag.Get("form"),
		}
		f.flag = strings.ReplaceAll(f.key, "_", "-")
		f.env = envPrefix + strings.ToUpper(f.key)
		if c := sf.Tag.Get("choices"); c != "" {
			f.choices = strings.Split(c, "|")
		}
		if r := sf.Tag.Get("range"); r != "" {
			f.min, f.max = limits(f.key, f.typ, r)
		}
		fs = append(fs, f)
	}
	return fs
}

// limits reads a range tag. A bad tag is a mistake of ours, not of a user.
func limits(key string, t reflect.Type, tag string) (least, greatest int64) {
	lo, hi, _ := strings.Cut(tag, "..")
	one := func(s string) int64 {
		if t == reflect.TypeFor[time.Duration]() {
			if d, err := time.ParseDuration(s); err == nil {
				return int64(d)
			}
		} else if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return n
		}
		panic(fmt.Sprintf("BUG: config: range tag %q of %s", tag, key))
	}
	return one(lo), one(hi)
}

// allowed says what a value of f may be, for error messages and for the documentation.
func (f field) allowed() string {
	switch {
	case f.typ == reflect.TypeFor[[]Listener]():
		return "one or more of ADDRESS[/TRANSPORT[/PROTOCOL]], like :4000 or 127.0.0.1:5050/tcp/relay"
	case f.typ == reflect.TypeFor[time.Duration]():
		return fmt.Sprintf("a duration with its unit from %s to %s, like 90s or 5m", brief(time.Duration(f.min)), brief(time.Duration(f.max)))
	case f.form == "servers":
		return fmt.Sprintf("none to %d URLs, separated by spaces or commas, like nats://a:4222 or tls://USER:PASSWORD@b:4222", serversMax)
	case f.form == "targets":
		return fmt.Sprintf("none to %d of NAME=HOST:PORT, separated by spaces or commas, like web=localhost:8080", targetsMax)
	case f.form == "patterns":
		return fmt.Sprintf("none to %d patterns of 1 to %d printable bytes, separated by spaces or commas, like lobby team-*", patternsMax, patternBytesMax)
	case f.choices != nil:
		return "one of " + strings.Join(f.choices, ", ")
	case f.form == "names":
		return fmt.Sprintf("none to %d names of 1 to %d printable bytes, separated by spaces or commas", patternsMax, patternBytesMax)
	case f.form == "file":
		return fmt.Sprintf("the path of a file, of at most %d bytes, or empty", f.max)
	case f.form == "host":
		return "an IP address or host name without port, like 203.0.113.7 or chat.example.org, or empty"
	case f.form == "hostport":
		return "an IP address or host name with port, like 203.0.113.7:4000 or [2001:db8::1]:4000, or empty"
	case f.typ.Kind() == reflect.Bool:
		return "true or false"
	case f.typ.Kind() == reflect.Int:
		return fmt.Sprintf("a whole number from %d to %d", f.min, f.max)
	default:
		return fmt.Sprintf("%d to %d bytes of printable text on one line", f.min, f.max)
	}
}

// convert turns a raw value (text from a flag or the environment, what YAML made of it from the file) into a value of
// the field's type, checked against its limits. The error says what is wrong only where allowed does not.
func (f field) convert(raw any) (any, error) {
	switch {
	case raw == nil:
		return nil, fmt.Errorf("no value")
	case f.typ == reflect.TypeFor[[]Listener]():
		return listenersFrom(raw)
	case f.form == "servers":
		return serversFrom(raw)
	case f.form == "targets":
		return targetsFrom(raw)
	case f.form == "patterns", f.form == "names":
		return patternsFrom(raw)
	case f.typ == reflect.TypeFor[time.Duration]():
		return f.duration(raw)
	case f.typ.Kind() == reflect.Bool:
		return f.boolean(raw)
	case f.typ.Kind() == reflect.Int:
		return f.number(raw)
	default:
		return f.text(raw)
	}
}

// errNotAllowed stands for "see what is allowed".
var errNotAllowed = fmt.Errorf("not allowed")

func (f field) duration(raw any) (any, error) {
	text, ok := raw.(string)
	if !ok {
		return nil, errNotAllowed // A number without a unit: seconds to one reader, milliseconds to the next.
	}
	d, err := time.ParseDuration(text)
	if err != nil || int64(d) < f.min || int64(d) > f.max {
		return nil, errNotAllowed
	}
	return d, nil
}

func (f field) boolean(raw any) (any, error) {
	switch v := raw.(type) {
	case bool:
		return v, nil
	case string:
		if b, err := strconv.ParseBool(v); err == nil {
			return b, nil
		}
	}
	return nil, errNotAllowed
}

func (f field) number(raw any) (any, error) {
	var n int64
	switch v := raw.(type) {
	case int:
		n = int64(v)
	case string:
		var err error
		if n, err = strconv.ParseInt(v, 10, 64); err != nil {
			return nil, errNotAllowed
		}
	default:
		return nil, errNotAllowed
	}
	if n < f.min || n > f.max {
		return nil, errNotAllowed
	}
	return int(n), nil
}

func (f field) text(raw any) (any, error) {
	s, ok := raw.(string)
	if !ok {
		return nil, fmt.Errorf("no text; put it in quotes") // YAML reads 0123 as an octal number.
	}
	if f.choices != nil {
		for _, c := range f.choices {
			if s == c {
				return s, nil
			}
		}
		return nil, errNotAllowed
	}
	if f.form == "host" || f.form == "hostport" {
		from := hostFrom
		if f.form == "hostport" {
			from = hostPortFrom
		}
		host, ok := from(s)
		if !ok {
			return nil, errNotAllowed
		}
		return host, nil
	}
	if int64(len(s)) < f.min || int64(len(s)) > f.max {
		return nil, errNotAllowed
	}
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) {
		return nil, errNotAllowed
	}
	return s, nil
}

// format is the text form of a value, the one the environment takes.
func format(v any) string {
	switch v := v.(type) {
	case []Listener:
		texts := make([]string, len(v))
		for i, l := range v {
			texts[i] = l.String()
		}
		return strings.Join(texts, " ")
	case []string:
		texts := make([]string, len(v))
		for i, text := range v {
			texts[i] = withoutPassword(text)
		}
		return strings.Join(texts, " ")
	case time.Duration:
		return brief(v)
	default:
		return fmt.Sprint(v)
	}
}

// brief is d.String without zero minutes and seconds: 5m instead of 5m0s.
func brief(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
