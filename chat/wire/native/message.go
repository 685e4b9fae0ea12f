package native

import (
	"errors"
	"fmt"
	"strings"

	"github.com/fxamacker/cbor/v2"
)

// A Head is what every message begins with.
type Head struct {
	Type Type
	// ID is chosen by the client for each request and comes back in its answer. A request with 0 is answered only if it
	// fails, with id 0. Messages from the server that answer nothing have 0.
	ID uint64
}

// A Request is a message to a server.
type Request interface {
	Type() Type
	check() error
}

// A Reply is a message to a client: an answer or a push. A push is one that has a type of its own.
type Reply interface{ reply() }

// A Push is a message to a client that answers nothing.
type Push interface {
	Reply
	Type() Type
}

// Unknown stands for a message of a type that this version does not know. A server refuses it with CodeUnknownType, a
// client skips it.
type Unknown struct{ Of Type }

// AppendRequest appends a message to a server to b. It does not check limits.
func AppendRequest(b []byte, id uint64, m Request) []byte {
	return appendMessage(b, Head{m.Type(), id}, m)
}

// AppendReply appends the answer to the request with that head, and an Error with type 0 whatever the request was.
func AppendReply(b []byte, to Head, m Reply) []byte {
	if _, refused := m.(Error); refused {
		to.Type = TypeError
	}
	return appendMessage(b, to, m)
}

// AppendPush appends a message to a client that answers nothing.
func AppendPush(b []byte, m Push) []byte { return appendMessage(b, Head{Type: m.Type()}, m) }

// DecodeRequest decodes a message to a server. A type that is not known gives Unknown. An error is a *SyntaxError; the
// head is what could be read of it.
func DecodeRequest(b []byte) (Head, Request, error) {
	head, body, err := decodeHead(b)
	if err != nil {
		return head, nil, err
	}
	decode := requestDecoder(head.Type)
	if decode == nil {
		return head, Unknown{head.Type}, wellFormed(body)
	}
	m, err := decode(body)
	if err != nil {
		return head, nil, err
	}
	return head, m, m.check()
}

// Check reports what a server will find wrong with a message before it looks at what it is about: nil or a *SyntaxError.
func Check(m Request) error {
	_, _, err := DecodeRequest(AppendRequest(nil, 0, m))
	return err
}

// DecodeReply decodes a message to a client. A type that is not known gives Unknown. An error is a *SyntaxError; the
// head is what could be read of it.
func DecodeReply(b []byte) (Head, Reply, error) {
	head, body, err := decodeHead(b)
	if err != nil {
		return head, nil, err
	}
	decode := answerDecoder(head.Type)
	if head.ID == 0 && head.Type != TypeError {
		decode = pushDecoder(head.Type)
	}
	if decode == nil {
		return head, Unknown{head.Type}, wellFormed(body)
	}
	m, err := decode(body)
	return head, m, err
}

// Encoding is deterministic (RFC 8949 4.2.1), so that a message has one form.
var encoding = must(cbor.CoreDetEncOptions().EncMode())

// Decoding is strict about form and lax about content that is not known (SPEC.md 2.4).
var decoding = must(cbor.DecOptions{
	DupMapKey:        cbor.DupMapKeyEnforcedAPF,
	MaxNestedLevels:  nestedLevelsMax,
	MaxArrayElements: arrayElementsMax,
	MaxMapPairs:      mapPairsMax,
	IndefLength:      cbor.IndefLengthForbidden,
	TagsMd:           cbor.TagsForbidden,
	UTF8:             cbor.UTF8RejectInvalid,
}.DecMode())

func must[M any](mode M, err error) M {
	if err != nil {
		panic(fmt.Sprintf("BUG: native: CBOR options: %v", err))
	}
	return mode
}

// arrayOfThree is the first byte of every message: an array of three elements (SPEC.md 2.2).
const arrayOfThree = 0x83

// lengthBytesMax is the longest length a frame begins with.
const lengthBytesMax = 4

// BeginsReplies reports whether prefix, what a server has said first, can be of this protocol (SPEC.md 1, 2.2), and whether
// that is sure: no more of it could change that. What other programs say would be taken for the length of a message that never comes.
func BeginsReplies(prefix []byte) (yes, sure bool) {
	if len(prefix) == 0 {
		return true, false
	}
	lengthBytes := 1 << (prefix[0] >> 6)
	switch {
	case lengthBytes > lengthBytesMax:
		return false, true
	case len(prefix) <= lengthBytes:
		return true, false
	}
	return prefix[lengthBytes] == arrayOfThree, true
}

// mapMajor is the major type of a map (RFC 8949 3.1).
const mapMajor = 5

func appendMessage(b []byte, h Head, m any) []byte {
	b = append(b, arrayOfThree)
	b = appendUint(b, uint64(h.Type))
	b = appendUint(b, h.ID)
	body, err := encoding.Marshal(m)
	if err != nil {
		panic(fmt.Sprintf("BUG: native: %T cannot be encoded: %v", m, err)) // Only types that CBOR has are in messages.
	}
	return append(b, body...)
}

// appendUint appends n in its shortest form (RFC 8949 3.1).
func appendUint(b []byte, n uint64) []byte {
	switch {
	case n < 24:
		return append(b, byte(n))
	case n < 1<<8:
		return append(b, 24, byte(n))
	case n < 1<<16:
		return append(b, 25, byte(n>>8), byte(n))
	case n < 1<<32:
		return append(b, 26, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return append(b, 27, byte(n>>56), byte(n>>48), byte(n>>40), byte(n>>32), byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

// decodeHead cuts off the head and returns the body, which is a map but else unchecked.
func decodeHead(b []byte) (Head, []byte, error) {
	malformed := &SyntaxError{Code: CodeMalformed, Want: "[type, id, {fields}]"}
	if len(b) == 0 || b[0] != arrayOfThree {
		return Head{}, nil, malformed
	}
	typ, b, ok := cutUint(b[1:])
	if !ok {
		return Head{}, nil, malformed
	}
	id, body, ok := cutUint(b)
	if !ok {
		return Head{}, nil, malformed
	}
	head := Head{Type: Type(typ), ID: id}
	if len(body) == 0 || body[0]>>5 != mapMajor {
		return head, nil, malformed
	}
	return head, body, nil
}

// cutUint cuts an unsigned integer off b. It must have its shortest form, so that a message has one form.
func cutUint(b []byte) (n uint64, rest []byte, ok bool) {
	if len(b) == 0 || b[0] > 27 {
		return 0, nil, false
	}
	if b[0] < 24 {
		return uint64(b[0]), b[1:], true
	}
	size := 1 << (b[0] - 24)
	if len(b) < 1+size {
		return 0, nil, false
	}
	for _, c := range b[1 : 1+size] {
		n = n<<8 | uint64(c)
	}
	return n, b[1+size:], len(appendUint(nil, n)) == 1+size
}

// wellFormed checks a body nobody looks into.
func wellFormed(body []byte) error {
	if decoding.Wellformed(body) != nil {
		return errForm
	}
	return nil
}

// errForm says that a body is not what RFC 8949 and SPEC.md 2.4 allow.
var errForm = &SyntaxError{Code: CodeMalformed, Want: "well-formed CBOR within the limits"}

// decodeBody decodes a map into the fields of *v. Keys that v does not have are skipped.
func decodeBody(body []byte, v any) error {
	err := decoding.Unmarshal(body, v)
	if err == nil {
		return nil
	}
	if wrong, ok := errors.AsType[*cbor.UnmarshalTypeError](err); ok {
		_, field, _ := strings.Cut(wrong.StructFieldName, ".") // Our name of it, or nothing.
		return &SyntaxError{Code: CodeMalformed, Field: strings.ToLower(field), Want: "another type than " + wrong.CBORType}
	}
	if _, ok := errors.AsType[*cbor.SemanticError](err); ok { // The only one there is.
		return &SyntaxError{Code: CodeMalformed, Want: "text in UTF-8"}
	}
	return errForm
}
