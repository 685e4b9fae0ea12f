package compare

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// Every key of the file is explained, under the heading of what it is in.
func TestFormatIsDocumented(t *testing.T) {
	text, err := os.ReadFile("FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []struct {
		heading string
		of      any
	}{{"header", Header{}}, {"runs", Result{}}, {"summary", Summary{}}} {
		_, section, ok := strings.Cut(string(text), "## "+part.heading+"\n")
		section, _, _ = strings.Cut(section, "\n## ")
		for _, key := range keysOf(reflect.TypeOf(part.of), map[reflect.Type]bool{}) {
			if !ok || !strings.Contains(section, "`"+key+"`") {
				t.Errorf("FORMAT.md, %s: %s is not explained", part.heading, key)
			}
		}
	}
}

// keysOf are the keys of a type in JSON, and of what is in it. Split is explained where it comes first.
func keysOf(t reflect.Type, seen map[reflect.Type]bool) (keys []string) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Array {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || seen[t] {
		return nil
	}
	seen[t] = true
	if t == reflect.TypeFor[Summary]() {
		seen[reflect.TypeFor[Split]()] = true
	}
	for i := range t.NumField() {
		f := t.Field(i)
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if key == "-" {
			continue
		}
		if key == "wire_timing" && t == reflect.TypeFor[TCPCheck]() {
			seen[f.Type] = true // With the runs.
		}
		if key != "" {
			keys = append(keys, key)
		}
		keys = append(keys, keysOf(f.Type, seen)...)
	}
	return keys
}
