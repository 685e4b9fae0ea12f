package native

import (
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The grammar and the bytes are what others go by, so here they are held against each other without a line of the code that
// wrote the bytes: a reader of CBOR of its own, and as much of CDDL as native.cddl uses.

// readCBOR reads one item of what SPEC.md 2.4 allows, as int64, []byte, string, bool, []any or map[int64]any.
func readCBOR(b []byte) (v any, rest []byte, err error) {
	if len(b) == 0 {
		return nil, nil, fmt.Errorf("the end")
	}
	major, n := b[0]>>5, uint64(b[0]&31)
	b = b[1:]
	if major == 7 {
		if n != 20 && n != 21 {
			return nil, nil, fmt.Errorf("simple value %d", n)
		}
		return n == 21, b, nil
	}
	if n >= 24 {
		size := 1 << (n - 24)
		if n > 27 || len(b) < size {
			return nil, nil, fmt.Errorf("length %d", n)
		}
		n = 0
		for _, c := range b[:size] {
			n = n<<8 | uint64(c)
		}
		b = b[size:]
	}
	switch major {
	case 0:
		return int64(n), b, nil
	case 1:
		return -1 - int64(n), b, nil
	case 2, 3:
		if uint64(len(b)) < n {
			return nil, nil, fmt.Errorf("string of %d bytes", n)
		}
		if major == 3 {
			return string(b[:n]), b[n:], nil
		}
		return b[:n:n], b[n:], nil
	case 4:
		list := []any{}
		for range n {
			if v, b, err = readCBOR(b); err != nil {
				return nil, nil, err
			}
			list = append(list, v)
		}
		return list, b, nil
	case 5:
		fields, last := map[int64]any{}, int64(-1)
		for range n {
			key, rest, err := readCBOR(b)
			k, ok := key.(int64)
			if err != nil || !ok || k <= last {
				return nil, nil, fmt.Errorf("key %v after %d: %w", key, last, err)
			}
			if v, b, err = readCBOR(rest); err != nil {
				return nil, nil, err
			}
			fields[k], last = v, k
		}
		return fields, b, nil
	}
	return nil, nil, fmt.Errorf("major type %d", major)
}

// A grammar is native.cddl: what stands right of each name.
type grammar map[string]string

func readGrammar(t *testing.T) grammar {
	text, err := os.ReadFile("native.cddl")
	if err != nil {
		t.Fatal(err)
	}
	bare := regexp.MustCompile(`;.*`).ReplaceAllString(string(text), "")
	g, name := grammar{}, ""
	begin := regexp.MustCompile(`^([a-z-]+)\s+=\s+(.*)$`)
	for line := range strings.Lines(bare) {
		line = strings.TrimRight(line, "\n")
		if m := begin.FindStringSubmatch(line); m != nil {
			name, line = m[1], m[2]
		} else if !strings.HasPrefix(line, " ") {
			continue // Of the three rules with parameters, which this test has in its own words.
		}
		g[name] += " " + strings.TrimSpace(line)
	}
	return g
}

// bodies returns the rules of messages of one direction by type: of answers and pushes both.
func (g grammar) bodies(rule, kind string) map[int64]string {
	all := map[int64]string{}
	for _, m := range regexp.MustCompile(kind+`<(\d+)(?:\.\.(\d+))?, ([a-z-]+)>`).FindAllStringSubmatch(g[rule], -1) {
		from, _ := strconv.ParseInt(m[1], 10, 64)
		to, err := strconv.ParseInt(m[2], 10, 64)
		if err != nil {
			to = from
		}
		for i := from; i <= to; i++ {
			all[i] = m[3]
		}
	}
	return all
}

var fieldRule = regexp.MustCompile(`(\?\s*)?(\d+) => (\[[^\]]*\]|[^,}]+?)\s*[,}]`)

// check says what is wrong with a value by a rule.
func (g grammar) check(rule string, v any) error {
	rule = strings.TrimSpace(rule)
	if strings.HasPrefix(rule, "{") {
		var errs []string
		for form := range strings.SplitSeq(rule, "} / {") { // One of several forms of a map.
			err := g.checkMap(form+"}", v)
			if err == nil {
				return nil
			}
			errs = append(errs, err.Error())
		}
		return fmt.Errorf("%s", strings.Join(errs, "; or "))
	}
	word, _, _ := strings.Cut(rule, " ")
	switch {
	case strings.HasPrefix(rule, "["):
		list, ok := v.([]any)
		if !ok {
			return fmt.Errorf("%T for %s", v, rule)
		}
		element := strings.Trim(rule[strings.Index(rule, "*")+1:], " ]8")
		for _, e := range list {
			if err := g.check(element, e); err != nil {
				return err
			}
		}
		return nil
	case word == "uint", word == "int", strings.Contains(word, ".."):
		n, ok := v.(int64)
		if from, to, isRange := strings.Cut(word, ".."); isRange {
			low, _ := strconv.ParseInt(from, 10, 64)
			high, _ := strconv.ParseInt(to, 10, 64)
			ok = ok && n >= low && n <= high
		}
		return unlessOK(ok && (word != "uint" || n >= 0), rule, v)
	case word == "bool":
		_, ok := v.(bool)
		return unlessOK(ok, rule, v)
	case word == "text", word == "bytes":
		s, isText := v.(string)
		b, isBytes := v.([]byte)
		low, high := 0, 1<<30
		if m := regexp.MustCompile(`\.size (?:\((\d+)\.\.(\d+)\)|(\d+))`).FindStringSubmatch(rule); m != nil {
			low, _ = strconv.Atoi(m[1] + m[3])
			high, _ = strconv.Atoi(m[2] + m[3])
		}
		n := max(len(s), len(b))
		return unlessOK((isText && word == "text" || isBytes && word == "bytes") && n >= low && n <= high, rule, v)
	}
	if g[word] == "" {
		return fmt.Errorf("no rule %q", word)
	}
	return g.check(g[word], v)
}

func unlessOK(ok bool, rule string, v any) error {
	if ok {
		return nil
	}
	return fmt.Errorf("%v (%T) is no %s", v, v, rule)
}

func (g grammar) checkMap(form string, v any) error {
	fields, ok := v.(map[int64]any)
	if !ok {
		return fmt.Errorf("%T for a map", v)
	}
	known := map[int64]bool{}
	for _, m := range fieldRule.FindAllStringSubmatch(form, -1) {
		key, _ := strconv.ParseInt(m[2], 10, 64)
		known[key] = true
		field, there := fields[key]
		switch {
		case !there && m[1] == "":
			return fmt.Errorf("field %d is missing", key)
		case there:
			if err := g.check(m[3], field); err != nil {
				return fmt.Errorf("field %d: %w", key, err)
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		if !known[key] {
			return fmt.Errorf("field %d is not in the grammar", key)
		}
	}
	return nil
}

// Every vector follows the grammar, and has every field the grammar has: neither knows what the other does not.
func TestVectorsFollowTheGrammar(t *testing.T) {
	g := readGrammar(t)
	bodies := map[string]map[int64]string{
		"request": g.bodies("to-server", "request"), "answer": g.bodies("to-client", "answer"), "push": g.bodies("to-client", "push"),
	}
	text, err := os.ReadFile("testdata/vectors.txt")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	lines := strings.Split(string(text), "\n")
	for i := 0; i+1 < len(lines); i += 3 {
		kind, name, _ := strings.Cut(lines[i], " ")
		b, err := hex.DecodeString(lines[i+1])
		if err != nil {
			t.Fatal(err)
		}
		v, rest, err := readCBOR(b)
		m, ok := v.([]any)
		if err != nil || len(rest) != 0 || !ok || len(m) != 3 {
			t.Fatalf("%s: %v, %v, %d bytes behind it", lines[i], v, err, len(rest))
		}
		typ, _ := m[0].(int64)
		rule := bodies[kind][typ]
		if rule == "" && name == "Done" {
			rule = "nothing"
		}
		if rule == "" {
			t.Errorf("%s: the grammar has no %s %d", lines[i], kind, typ)
			continue
		}
		if err := g.check(rule, m[2]); err != nil {
			t.Errorf("%s by rule %s: %v", lines[i], rule, err)
		}
		used[fmt.Sprint(kind, typ)] = true
	}
	for kind, rules := range bodies {
		for typ, rule := range rules {
			if !used[fmt.Sprint(kind, typ)] && !(kind == "answer" || kind == "push" && typ == 0) {
				t.Errorf("%s %d (%s) of the grammar has no vector", kind, typ, rule)
			}
		}
	}
}
