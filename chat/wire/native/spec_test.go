package native

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The document has every message under its number and its name, every error, and the limits as they are.
func TestSpecSaysWhatIsTrue(t *testing.T) {
	b, err := os.ReadFile("SPEC.md")
	if err != nil {
		t.Fatal(err)
	}
	spec := string(b)

	written := make(map[Type]string)
	for _, heading := range regexp.MustCompile(`(?m)^\*\*(\d+ .*?)\*\*`).FindAllStringSubmatch(spec, -1) {
		for _, m := range regexp.MustCompile(`(\d+) ([A-Z][A-Za-z]+)`).FindAllStringSubmatch(heading[1], -1) {
			n, _ := strconv.Atoi(m[1])
			written[Type(n)] = m[2]
		}
	}
	for typ := range Type(100) {
		name := ""
		_, req, _ := DecodeRequest(AppendReply(nil, Head{Type: typ, ID: 1}, Done{}))
		if _, unknown := req.(Unknown); !unknown && req != nil {
			name = reflect.TypeOf(req).Name()
		}
		switch typ {
		case TypeError:
			name = "Error"
		case TypeEvent:
			name = "Event"
		case TypeDrain:
			name = "Drain"
		}
		if written[typ] != name {
			t.Errorf("message %d is %q in the document, %q in the program", typ, written[typ], name)
		}
	}

	table := spec[strings.Index(spec, "| code | meaning"):]
	for code := Code(1); code < 100; code++ {
		_, known := codeNames[code]
		if in := strings.Contains(table, fmt.Sprintf("\n| %d ", uint64(code))); in != known {
			t.Errorf("error %d: in the document %v, in the program %v", uint64(code), in, known)
		}
	}
	for cited := range strings.SplitSeq(strings.Join(regexp.MustCompile(`Errors: [\d, ]+`).FindAllString(spec, -1), " "), " ") {
		if n, err := strconv.ParseUint(strings.Trim(cited, ",."), 10, 64); err == nil && codeNames[Code(n)] == "" {
			t.Errorf("the document speaks of error %d", n)
		}
	}

	for _, limit := range []string{
		fmt.Sprintf("| message to the server | %d,%03d bytes |", RequestBytesMax/1000, RequestBytesMax%1000),
		fmt.Sprintf("| message to the client | %d MiB |", ReplyBytesMax>>20),
		fmt.Sprintf("| text of a message | %d KiB ", TextBytesMax>>10),
		fmt.Sprintf("| name of a room or account, name to show | 1 to %d bytes,", NameBytesMax),
		fmt.Sprintf("| log | 1 to %d bytes |", LogBytesMax),
		fmt.Sprintf("| password | 1 to %d,%03d bytes |", SecretBytesMax/1000, SecretBytesMax%1000),
		fmt.Sprintf("| token | 1 to %d bytes |", TokenBytesMax),
		fmt.Sprintf("| label, agent, device, epoch | %d bytes |", LabelBytesMax),
		fmt.Sprintf("| topic, Private's text | %d,%03d bytes |", TopicBytesMax/1000, TopicBytesMax%1000),
		fmt.Sprintf("| file's name, media type, digest | 1 to %d bytes, %d bytes, %d bytes |", FileNameMax, TypeBytesMax, DigestBytes),
		fmt.Sprintf("| chunk | 1 to %d,%d bytes |", ChunkBytesMax/1000, ChunkBytesMax%1000),
		fmt.Sprintf("| n | more than %d is taken as %d,", PageEventsMax, PageEventsMax),
		fmt.Sprintf("| ago | 1 ms to %.0f days |", SinceMax.Hours()/24),
		fmt.Sprintf("| Private: call, key, addresses, each address | 1 to %d bytes, %d bytes, %d, %d bytes |",
			CallBytesMax, KeyBytesMax, AddressesMax, AddressBytesMax),
		fmt.Sprintf("%s elements in an\narray, %d pairs in a map", "1,024", mapPairsMax),
		fmt.Sprintf("At most %d levels,", nestedLevelsMax),
	} {
		if !strings.Contains(spec, limit) {
			t.Errorf("the document does not say %q", limit)
		}
	}
	if FileBytesMax != 1<<40 || arrayElementsMax != 1024 || EpochBytesMax != LabelBytesMax {
		t.Error("limits that the document gives in words are others")
	}
}
