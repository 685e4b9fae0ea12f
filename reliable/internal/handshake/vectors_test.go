package handshake

import (
	"bytes"
	"crypto/ed25519"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"testing/cryptotest"
	"time"

	"udpchat/reliable/internal/wire"
)

var update = flag.Bool("update", false, "rewrite testdata/vectors.json")

// vectorsFile is for other implementations: what SPEC.md says, in bytes. The fields' names are its words.
const vectorsFile = "testdata/vectors.json"

// hexBytes are written in hexadecimal.
type hexBytes []byte

func (b hexBytes) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(b)), nil }
func (b *hexBytes) UnmarshalText(text []byte) (err error) {
	*b, err = hex.DecodeString(string(text))
	return err
}

type vectors struct {
	Packets   []packetVector  `json:"sealed_packets"`
	Proofs    []proofVector   `json:"cookies_and_tokens"`
	Resets    []resetVector   `json:"stateless_resets"`
	Handshake handshakeVector `json:"handshake"`
}

type packetVector struct {
	Suite      string   `json:"suite"`
	Secret     hexBytes `json:"secret"`
	Generation uint64   `json:"generation"`
	Key        hexBytes `json:"key"`
	IV         hexBytes `json:"iv"`
	Number     uint64   `json:"number"`
	Header     hexBytes `json:"header"`
	Frames     hexBytes `json:"frames"`
	Datagram   hexBytes `json:"datagram"`
}

type proofVector struct {
	Kind    string    `json:"kind"`
	Secret  hexBytes  `json:"secret"`
	Time    time.Time `json:"time"`
	Address string    `json:"address"`
	Source  uint64    `json:"source_id"`
	Call    uint64    `json:"call_nonce"`
	Nonce   hexBytes  `json:"nonce"`
	Proof   hexBytes  `json:"proof"`
}

type resetVector struct {
	Seed     hexBytes `json:"ed25519_seed"`
	Endpoint string   `json:"endpoint"`
	ID       uint64   `json:"connection_id"`
	Frame    hexBytes `json:"token_frame"`
	Filler   hexBytes `json:"random"`
	Datagram hexBytes `json:"datagram"`
}

type handshakeVector struct {
	Seed         hexBytes `json:"ed25519_seed"`
	Key          string   `json:"server_key"`
	Hello        hexBytes `json:"hello"`
	Accept       hexBytes `json:"accept"`
	Finish       hexBytes `json:"finish"`
	ServerSecret hexBytes `json:"server_handshake_traffic_secret"`
	ClientSecret hexBytes `json:"client_handshake_traffic_secret"`
	UpSecret     hexBytes `json:"client_application_traffic_secret_0"`
	DownSecret   hexBytes `json:"server_application_traffic_secret_0"`
	Suite        uint16   `json:"suite"`
}

func makePackets(t *testing.T) (all []packetVector) {
	for _, name := range []string{"AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305"} {
		suite, n := suites[name], 32
		if suite == tls.TLS_AES_256_GCM_SHA384 {
			n = 48
		}
		g := generation{secret: make([]byte, n)}
		for i := range g.secret {
			g.secret[i] = byte(i)
		}
		k := &Keys{suite: suite}
		first := g.secret
		for range 2 {
			v := packetVector{Suite: name, Secret: first, Generation: g.number, Number: 1<<40 + 7}
			v.Header = wire.AppendPacketHeader(nil, wire.PacketHeader{Phase: g.phase(), Dest: 0x0102030405060708, Number: v.Number})
			v.Frames = wire.AppendClose(wire.AppendPing(nil), 256, "bye")
			keyBytes := 32
			if suite == tls.TLS_AES_128_GCM_SHA256 {
				keyBytes = 16
			}
			var err error
			if v.Key, err = expand(suite, g.secret, labelKey, keyBytes); err != nil {
				t.Fatal(err)
			}
			seal, err := newSeal(suite, g.secret)
			if err != nil {
				t.Fatal(err)
			}
			v.IV = bytes.Clone(seal.iv[:])
			v.Datagram = seal.Protect(append(bytes.Clone(v.Header), v.Frames...), len(v.Header), v.Number)
			all = append(all, v)
			g = *k.after(&g)
		}
	}
	return all
}

func makeProofs(t *testing.T) (all []proofVector) {
	secret := bytes.Repeat([]byte{7}, 32)
	for _, address := range []string{"192.0.2.1:5000", "[2001:db8::1]:5000"} {
		from := netip.MustParseAddrPort(address)
		h := wire.Hello{Source: 5, Call: 6, Nonce: wire.Nonce{1, 2, 3}}
		for _, kind := range []string{"cookie", "token"} {
			id, life, what := byte(kindCookie), CookieLifetime, cookieFor(from, h)
			if kind == "token" {
				id, life, what = kindToken, TokenLifetime, tokenFor(from.Addr())
			}
			m, err := newMint(start, id, life, bytes.NewReader(bytes.Repeat(secret, 2)))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, proofVector{kind, secret, start.UTC(), address, 5, 6, h.Nonce[:], m.strike(0, what)})
		}
	}
	return all
}

func makeResets(t *testing.T) (all []resetVector) {
	for _, endpoint := range []string{"node-a 0.0.0.0:4000", "node-b 0.0.0.0:4000"} {
		resets, err := identity(t, 1).Resets(endpoint)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []wire.ConnID{1, 0x0102030405060708} {
			r, filler := resets.Of(id), []byte{1, 2, 3, 4, 5, 6, 7}
			all = append(all, resetVector{
				bytes.Repeat([]byte{1}, ed25519.SeedSize), endpoint, uint64(id),
				wire.AppendResetToken(nil, r), filler, wire.AppendStatelessReset(nil, r, filler),
			})
		}
	}
	return all
}

// makeHandshake plays a handshake. Another implementation cannot play it again, but can open what is in it.
func makeHandshake(t *testing.T) (v handshakeVector) {
	cryptotest.SetGlobalRandom(t, 1)
	v.Seed = bytes.Repeat([]byte{1}, ed25519.SeedSize)
	id := identity(t, 1)
	p := newPair(t, nil)
	hello, h := p.hello(start)
	p.server = NewServer(id, serverID, h, nil)
	answer, err := p.server.HandleHello(h, len(hello), nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := wire.ParseAccept(bytes.Clone(answer))
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := p.client.HandleAccept(start, a)
	if err != nil {
		t.Fatal(err)
	}
	x := p.client.tls
	b := wire.AppendPacketHeader(nil, wire.PacketHeader{Type: wire.TypeFinish, Dest: serverID, Number: 1})
	b = wire.AppendPing(wire.AppendCrypto(b, r.Finished))
	v.Key, v.Hello, v.Accept, v.Suite = r.Key.String(), hello, answer, x.suite
	v.Finish = r.First.Protect(b, wire.PacketHeaderBytes, 1)
	v.ServerSecret, v.ClientSecret = x.handshake.read, x.handshake.write
	v.UpSecret, v.DownSecret = x.application.write, x.application.read
	return v
}

// What the code does is what the vectors say, which change only when the protocol does.
func TestVectors(t *testing.T) {
	got := vectors{Packets: makePackets(t), Proofs: makeProofs(t), Resets: makeResets(t)}
	if *update {
		got.Handshake = makeHandshake(t)
		b, err := json.MarshalIndent(got, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(vectorsFile), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(vectorsFile, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	b, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	var want vectors
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	got.Handshake = want.Handshake
	again, err := json.MarshalIndent(got, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(append(again, '\n'), b) {
		t.Errorf("%s is not what the code makes; with -update it is rewritten, which breaks every other implementation", vectorsFile)
	}
	checkHandshake(t, want.Handshake)
}

// checkHandshake opens a recorded handshake by its secrets.
func checkHandshake(t *testing.T, v handshakeVector) {
	t.Helper()
	if key := identity(t, 1).Key().String(); key != v.Key || !bytes.Equal(v.Seed, bytes.Repeat([]byte{1}, ed25519.SeedSize)) {
		t.Errorf("key %v, want %v", key, v.Key)
	}
	if _, err := wire.ParseHello(v.Hello); err != nil {
		t.Error(err)
	}
	a, err := wire.ParseAccept(v.Accept)
	if err != nil {
		t.Fatal(err)
	}
	down, err := newSeal(v.Suite, v.ServerSecret)
	if err != nil {
		t.Fatal(err)
	}
	end := 2 + int(binary.BigEndian.Uint16(a.Piece.Data))
	messages, ok := down.Open(a.Piece.Data[end:], 0, 0)
	if !ok || messages[0] != 8 { // EncryptedExtensions.
		t.Errorf("the server's part cannot be opened: %x", messages)
	}
	up, err := newSeal(v.Suite, v.ClientSecret)
	if err != nil {
		t.Fatal(err)
	}
	frames, ok := up.Open(v.Finish, wire.PacketHeaderBytes, 1)
	if !ok {
		t.Fatal("the finish packet cannot be opened")
	}
	f, rest, err := wire.ParseFrame(frames)
	if err != nil || f.Type != wire.FrameCrypto || f.Data[0] != 20 || !bytes.Equal(rest, wire.AppendPing(nil)) { // Finished.
		t.Errorf("frames %x", frames)
	}
}

// The sizes SPEC.md 4 gives.
func TestSizesOfTheHandshake(t *testing.T) {
	p := newPair(t, nil)
	b, h := p.hello(start)
	a := p.answer(identity(t, 1), b, h)
	hello, accept := len(h.Piece.Data), wire.AcceptBytes+len(a.Piece.Data)
	t.Logf("hello %d bytes, %d of TLS; accept %d bytes, %d of TLS", len(b), hello, accept, len(a.Piece.Data))
	if len(b) != wire.HelloBytesMin || accept > len(b) || int(a.Piece.Total) != len(a.Piece.Data) {
		t.Errorf("one datagram of %d bytes is not enough for an answer of %d", len(b), accept)
	}
}
