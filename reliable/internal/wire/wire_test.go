package wire

import (
	"bytes"
	"reflect"
	"testing"
	"time"
)

func TestHelloIsLongerThanEveryAnswer(t *testing.T) {
	hello := AppendHello(nil, Hello{Source: 1}, 0)
	cookie := make([]byte, 18) // what package handshake makes
	for name, answer := range map[string][]byte{
		"retry":  AppendRetry(nil, Retry{Dest: 1, Cookie: cookie}),
		"accept": AppendAccept(nil, Accept{Dest: 1, Source: 2, Piece: Piece{Total: 440, Data: make([]byte, 440)}}),
		"refuse": AppendRefuse(nil, Refuse{Dest: 1}),
	} {
		if len(answer) > len(hello) {
			t.Errorf("%s is %d bytes, hello %d: an unproven address would get more than it sent", name, len(answer), len(hello))
		}
	}
	if n := len(AppendCall(nil, 1)); n > CallBytesMax {
		t.Errorf("call is %d bytes, want at most %d", n, CallBytesMax)
	}
}

func TestLargestSymbolFitsAPacketInEveryForm(t *testing.T) {
	sym := make([]byte, SymbolBytesMax)
	head := AppendAck(AppendPacketHeader(nil, PacketHeader{}), Ack{})
	for name, b := range map[string][]byte{
		"source": AppendSource(bytes.Clone(head), 1, 0, sym),
		"repair": AppendRepair(bytes.Clone(head), Repair{Group: 1, K: 2, Symbol: append(sym, 0, 0)}),
	} {
		if len(b)+SealBytes > DatagramBytesMax {
			t.Errorf("%s packet with seal is %d bytes, want at most %d", name, len(b)+SealBytes, DatagramBytesMax)
		}
	}
}

func TestHandshakeDatagramsRoundTrip(t *testing.T) {
	nonce := Nonce{1, 2, 3}
	h := Hello{Source: 7, Nonce: nonce, Call: 9, Cookie: []byte("cookie"), Want: 5, Piece: Piece{Total: 9, Offset: 4, Data: []byte("hello")}}
	if got, err := ParseHello(AppendHello(nil, h, 700)); err != nil || !reflect.DeepEqual(got, h) {
		t.Errorf("hello: got %+v, %v, want %+v", got, err, h)
	}
	r := Retry{Dest: 7, Nonce: nonce, Cookie: []byte("cookie")}
	if got, err := ParseRetry(AppendRetry(nil, r)); err != nil || !reflect.DeepEqual(got, r) {
		t.Errorf("retry: got %+v, %v, want %+v", got, err, r)
	}
	a := Accept{Dest: 7, Source: 8, Nonce: nonce, Piece: Piece{Total: 9, Offset: 4, Data: []byte("hello")}}
	if got, err := ParseAccept(AppendAccept(nil, a)); err != nil || !reflect.DeepEqual(got, a) {
		t.Errorf("accept: got %+v, %v, want %+v", got, err, a)
	}
	f := Refuse{Dest: 7, Nonce: nonce, Code: 3}
	if got, err := ParseRefuse(AppendRefuse(nil, f)); err != nil || got != f {
		t.Errorf("refuse: got %+v, %v, want %+v", got, err, f)
	}
	if got, err := ParseCall(AppendCall(nil, 11)); err != nil || got != 11 {
		t.Errorf("call: got %v, %v, want 11", got, err)
	}
}

func TestFramesRoundTripTogether(t *testing.T) {
	ack := Ack{Largest: 1<<24 - 1, Delay: 1200 * time.Microsecond, Lost: 5, Bitmap: 0xf0}
	b := AppendPing(nil)
	b = AppendAck(b, ack)
	b = AppendAckMarks(b, ack, Marks{ECT0: 1<<16 - 1, CE: 7})
	b = AppendSource(b, 4, 1, []byte("source"))
	b = AppendRepair(b, Repair{Group: 4, K: 2, Index: 1, Asks: true, Age: 30 * time.Millisecond, Symbol: []byte("repair")})
	b = AppendBare(b, []byte("bare"))
	b = AppendCrypto(b, []byte("crypto"))
	b = AppendToken(b, []byte("token"))
	b = AppendChallenge(b, Challenge{1})
	b = AppendResponse(b, Challenge{2})
	b = AppendPiece(b, 1, 3, []byte("part"))
	b = AppendData(b, []byte("data"))
	b = AppendReset(b, 7, 256)
	b = AppendClose(b, 42, "bye")
	want := []Frame{
		{Type: FramePing},
		{Type: FrameAck, Ack: ack},
		{Type: FrameAckMarks, Ack: ack, Marks: Marks{ECT0: 1<<16 - 1, CE: 7}},
		{Type: FrameSource, Group: 4, Index: 1, Symbol: []byte("source")},
		{Type: FrameRepair, Group: 4, K: 2, Index: 1, Asks: true, Age: 30 * time.Millisecond, Symbol: []byte("repair")},
		{Type: FrameBare, Symbol: []byte("bare")},
		{Type: FrameCrypto, Data: []byte("crypto")},
		{Type: FrameToken, Data: []byte("token")},
		{Type: FrameChallenge, Challenge: Challenge{1}},
		{Type: FrameResponse, Challenge: Challenge{2}},
		{Type: FramePiece, Piece: 1, Pieces: 3, Part: []byte("part")},
		{Type: FrameData, Symbol: []byte("data")},
		{Type: FrameReset, Stream: 7, Code: 256},
		{Type: FrameClose, Code: 42, Text: []byte("bye")},
	}
	for _, w := range want {
		f, rest, err := ParseFrame(b)
		if err != nil || !reflect.DeepEqual(f, w) {
			t.Fatalf("got %+v, %v, want %+v", f, err, w)
		}
		b = rest
	}
	if len(b) != 0 {
		t.Errorf("%d bytes left", len(b))
	}
}

// A damaged datagram must not spoil a handshake.
func TestHandshakeDatagramWithAnyFlippedBitIsDropped(t *testing.T) {
	for name, c := range map[string]struct {
		b     []byte
		parse func(b []byte) error
	}{
		"hello":  {AppendHello(nil, Hello{Source: 1, Cookie: []byte("c")}, 0), func(b []byte) error { _, err := ParseHello(b); return err }},
		"retry":  {AppendRetry(nil, Retry{Dest: 1, Cookie: []byte("c")}), func(b []byte) error { _, err := ParseRetry(b); return err }},
		"accept": {AppendAccept(nil, Accept{Dest: 1, Source: 2}), func(b []byte) error { _, err := ParseAccept(b); return err }},
		"refuse": {AppendRefuse(nil, Refuse{Dest: 1}), func(b []byte) error { _, err := ParseRefuse(b); return err }},
	} {
		if err := c.parse(c.b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for i := range len(c.b) * 8 {
			c.b[i/8] ^= 1 << (i % 8)
			if c.parse(c.b) == nil {
				t.Errorf("%s with bit %d flipped was taken", name, i)
			}
			c.b[i/8] ^= 1 << (i % 8)
		}
		for n := range len(c.b) {
			if c.parse(c.b[:n]) == nil {
				t.Errorf("%d bytes of a %s were taken", n, name)
			}
		}
	}
}

func TestAckHas(t *testing.T) {
	a := Ack{Largest: 100, Bitmap: 1 | 1<<63}
	for n, want := range map[uint64]bool{101: false, 100: true, 99: true, 98: false, 36: true, 35: false, 0: false} {
		if got := a.Has(n); got != want {
			t.Errorf("Has(%d) = %v, want %v", n, got, want)
		}
	}
}

func TestTextIsNeverOurs(t *testing.T) {
	for c := range 256 {
		_, err := ParseType([]byte{byte(c)})
		if IsText([]byte{byte(c)}) && err == nil {
			t.Errorf("first byte %#x is both text and ours", c)
		}
	}
}

// FuzzDatagram checks that no datagram panics a parser and that what parses is written again as it was read. One seed of
// every type is in testdata/fuzz.
func FuzzDatagram(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte) {
		typ, err := ParseType(b)
		if err != nil {
			return
		}
		if typ >= TypeHello && typ <= TypeRefuse {
			b = appendCheck(bytes.Clone(b), 0) // No chance would find one.
		}
		switch typ {
		case TypeHello:
			if h, err := ParseHello(b); err == nil {
				again := AppendHello(nil, h, len(b))
				if n := HelloBytes - checkBytes + len(h.Cookie) + len(h.Piece.Data); !bytes.Equal(b[:n], again[:n]) {
					t.Errorf("hello %x is written %x", b, again)
				}
			}
		case TypeRetry:
			if r, err := ParseRetry(b); err == nil && !bytes.Equal(AppendRetry(nil, r), b) {
				t.Errorf("retry %x is written %x", b, AppendRetry(nil, r))
			}
		case TypeAccept:
			if a, err := ParseAccept(b); err == nil && !bytes.Equal(AppendAccept(nil, a), b) {
				t.Errorf("accept %x is written %x", b, AppendAccept(nil, a))
			}
		case TypeRefuse:
			if r, err := ParseRefuse(b); err == nil && !bytes.Equal(AppendRefuse(nil, r), b) {
				t.Errorf("refuse %x is written %x", b, AppendRefuse(nil, r))
			}
		case TypeCall:
			if n, err := ParseCall(b); err == nil && !bytes.Equal(AppendCall(nil, n), b) {
				t.Errorf("call %x is written %x", b, AppendCall(nil, n))
			}
		case TypePacket, TypeFinish:
			fuzzPacket(t, b)
		}
	})
}

func fuzzPacket(t *testing.T, b []byte) {
	h, frames, err := ParsePacketHeader(b)
	if err != nil {
		return
	}
	again := AppendPacketHeader(nil, h)
	for len(frames) > 0 {
		f, rest, err := ParseFrame(frames)
		if err != nil || f.Type == FramePadding {
			break
		}
		switch f.Type {
		case FramePing:
			again = AppendPing(again)
		case FrameSource:
			again = AppendSource(again, f.Group, f.Index, f.Symbol)
		case FrameBare:
			again = AppendBare(again, f.Symbol)
		case FrameRepair:
			again = AppendRepair(again, Repair{f.Group, f.K, f.Index, f.Asks, f.Age, f.Symbol})
		case FrameAck:
			again = AppendAck(again, f.Ack)
		case FrameAckMarks:
			again = AppendAckMarks(again, f.Ack, f.Marks)
		case FrameCrypto:
			again = AppendCrypto(again, f.Data)
		case FrameToken:
			again = AppendToken(again, f.Data)
		case FrameChallenge:
			again = AppendChallenge(again, f.Challenge)
		case FrameResponse:
			again = AppendResponse(again, f.Challenge)
		case FramePiece:
			again = AppendPiece(again, f.Piece, f.Pieces, f.Part)
		case FrameData:
			again = AppendData(again, f.Symbol)
		case FrameReset:
			again = AppendReset(again, f.Stream, f.Code)
		case FrameClose:
			again = AppendClose(again, f.Code, string(f.Text))
		}
		frames = rest
	}
	if !bytes.HasPrefix(b, again) {
		t.Errorf("packet %x is written %x", b, again)
	}
}
