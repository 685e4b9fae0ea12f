package im

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"udpchat/chat/front/internal/stage"
	wire "udpchat/chat/wire/im"
)

// A peer is a client that has chunks of a file and gives them to others, as PROTOCOL.md 5.3 says. It and whom it gives them to
// share a net.Pipe in place of the connection between them.
type peer struct {
	client
	name   string
	chunks map[int][]byte
	breaks int // It goes away in the middle of this chunk; 0: it does not.
}

func newPeer(t *testing.T, w *stage.World, name, addr string) *peer {
	t.Helper()
	p := &peer{client: client{w.OpenFrom(name, "im", "tcp", addr), t}, name: name, chunks: make(map[int][]byte)}
	p.do(wire.Login{User: name, Password: name, HasPassword: true})
	p.want("log-in of "+name, "200 success")
	return p
}

// boundary is where chunk n of a file of size bytes ends (PROTOCOL.md 5.1).
func boundary(n, chunks, size int) int { return n * size / chunks }

// serve answers requests for chunks until the other side is done. It closes c.
func (p *peer) serve(c net.Conn) {
	defer c.Close()
	var ack struct{ Username string }
	r := bufio.NewReader(c)
	if body, err := packetOf(r, "P2PCONNACK"); err != nil || json.Unmarshal(body, &ack) != nil || ack.Username == "" {
		p.t.Errorf("%s: greeted with %s, %v", p.name, body, err)
		return
	}
	for {
		body, err := packetOf(r, "download")
		if err != nil {
			return
		}
		var asked struct {
			Filename string
			Chunk    int
		}
		if err := json.Unmarshal(body, &asked); err != nil {
			p.t.Errorf("%s: asked with %s: %v", p.name, body, err)
		}
		b, ok := p.chunks[asked.Chunk]
		if !ok {
			fmt.Fprintf(c, "[400] Error. %s has no such chunk\n", p.name)
			continue
		}
		fmt.Fprintf(c, "[chunk] {\"filename\": %q, \"chunk\": %d, \"size\": %d}\n", asked.Filename, asked.Chunk, len(b))
		if asked.Chunk == p.breaks {
			c.Write(b[:len(b)/2])
			return
		}
		c.Write(b)
	}
}

// packetOf reads a line that is a packet of a route, and returns its object.
func packetOf(r *bufio.Reader, route string) ([]byte, error) {
	line, err := r.ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	body, ok := bytes.CutPrefix(line, []byte("["+route+"] "))
	if !ok {
		return nil, fmt.Errorf("got %q, want a packet of %s", line, route)
	}
	return body, nil
}

// fetch asks who is at the other end of c for a chunk.
func fetch(c net.Conn, r *bufio.Reader, file string, n int) ([]byte, error) {
	fmt.Fprintf(c, "[download] {\"filename\": %q, \"chunk\": %d}\n", file, n)
	body, err := packetOf(r, "chunk")
	if err != nil {
		return nil, err
	}
	var is struct{ Chunk, Size int }
	if err := json.Unmarshal(body, &is); err != nil || is.Chunk != n {
		return nil, fmt.Errorf("chunk %d: got %s, %v", n, body, err)
	}
	b := make([]byte, is.Size)
	_, err = io.ReadFull(r, b)
	return b, err
}

// connect has the server introduce luke to a holder of a file, and returns luke's end of their connection.
func (p *peer) connect(holder *peer, file, addr string) net.Conn {
	p.t.Helper()
	p.do(wire.StartPrivate{Target: holder.name, File: file})
	holder.want("an invitation", fmt.Sprintf("{Message:%s would like to download %s, enter y or n:  Origin:%[1]s File:%[2]s}<nil>", p.name, file))
	holder.do(wire.Accept{IP: "0.0.0.0", Port: 56311, Origin: p.name, Target: holder.name})
	p.want("an introduction", fmt.Sprintf("{IP:%s Port:56311 Origin:%s Target:%s}<nil>", addr, p.name, holder.name))
	mine, theirs := net.Pipe()
	go holder.serve(theirs) // Ends when mine is closed, which the test does.
	fmt.Fprintf(mine, "[P2PCONNACK] {\"username\": %q}\n", p.name)
	return mine
}

// search returns who has a file, of which all say the same.
func (p *peer) search(file string) wire.FoundFile {
	p.t.Helper()
	p.do(wire.SearchFile{File: file})
	got := strings.TrimPrefix(p.got(), "200 ")
	found, ok := wire.ParseFound(got)
	if !ok || len(found) != 1 {
		p.t.Fatalf("searching for %s: got %q", file, got)
	}
	return found[0]
}

// A file of ten chunks comes from two owners, of whom one goes away in the middle, and whoever gets a chunk has it to give.
func TestPrivateDownloadFromTwoOwners(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	in(t, "hans,yoda,luke", func(w *stage.World) {
		const file, size, chunks = "a b.mkv", 20_481, 10
		whole := make([]byte, size)
		r := rand.New(rand.NewPCG(seed, 0))
		for i := range whole {
			whole[i] = byte(r.Uint32())
		}
		hans := newPeer(t, w, "hans", "10.0.0.2:50001")
		yoda := newPeer(t, w, "yoda", "10.0.0.3:50001")
		luke := newPeer(t, w, "luke", "10.0.0.4:50001")
		for n := 1; n <= chunks; n++ {
			hans.chunks[n] = whole[boundary(n-1, chunks, size):boundary(n, chunks, size)]
		}
		hans.got()
		yoda.got()
		hans.do(wire.RegisterFile{File: file, Size: size, Chunks: chunks})
		hans.want("the file", "200 Ok\n")
		for _, n := range []int{2, 3, 5, 7, 9} {
			yoda.chunks[n] = hans.chunks[n]
		}
		yoda.breaks = 9
		yoda.do(wire.RegisterFile{File: file, Chunks: 0, Has: []int{2, 3, 5, 7, 9}})
		yoda.want("some of the file", "200 Ok, already registered\n")

		found := luke.search(file)
		if want := (wire.FoundFile{Size: size, Chunks: chunks, Holders: []wire.Holder{
			{User: "hans", Chunks: []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}}, {User: "yoda", Chunks: []int{2, 3, 5, 7, 9}},
		}}); fmt.Sprint(found) != fmt.Sprint(want) {
			t.Fatalf("found %v, want %v", found, want)
		}
		from := map[string]net.Conn{"hans": luke.connect(hans, file, "10.0.0.2"), "yoda": luke.connect(yoda, file, "10.0.0.3")}
		readers := map[string]*bufio.Reader{}
		for name, c := range from {
			readers[name] = bufio.NewReader(c)
			defer c.Close()
		}
		got := map[string]int{}
		for n := 1; n <= found.Chunks; n++ {
			// Whoever has the fewest chunks is asked first.
			for _, h := range slices.Backward(found.Holders) {
				if from[h.User] == nil || !slices.Contains(h.Chunks, n) || luke.chunks[n] != nil {
					continue
				}
				b, err := fetch(from[h.User], readers[h.User], file, n)
				if err != nil {
					from[h.User] = nil // Half a chunk is none.
					continue
				}
				luke.chunks[n] = b
				got[h.User]++
				luke.do(wire.RegisterFile{File: file, Has: []int{n}})
				luke.want(fmt.Sprint("chunk ", n), "200 Ok, already registered\n")
			}
		}
		if got["hans"] != 6 || got["yoda"] != 4 || from["yoda"] != nil {
			t.Errorf("chunks came %v, want 6 of hans and 4 of yoda, who went", got)
		}
		var all []byte
		for n := 1; n <= chunks; n++ {
			all = append(all, luke.chunks[n]...)
		}
		if !bytes.Equal(all, whole) {
			t.Error("what came is not what was sent")
		}
		// Who has it all can give it when its owner has gone.
		hans.EOF()
		synctest.Wait()
		luke.got()
		yoda.got()
		found = yoda.search(file)
		if fmt.Sprint(found.Holders) != "[{yoda [2 3 5 7 9]} {luke [1 2 3 4 5 6 7 8 9 10]}]" {
			t.Errorf("when the owner has gone: %v", found)
		}
		if _, err := fetchOne(yoda.connect(luke, file, "10.0.0.4"), file, 1); err != nil {
			t.Error(err)
		}
		if _, err := fetchOne(luke.connect(yoda, file, "10.0.0.3"), file, 1); err == nil || !strings.Contains(err.Error(), "[400] Error. yoda has no such chunk") {
			t.Errorf("a chunk that somebody has not: %v", err)
		}
	})
}

// fetchOne is fetch of a connection that is closed then.
func fetchOne(c net.Conn, file string, n int) ([]byte, error) {
	defer c.Close()
	return fetch(c, bufio.NewReader(c), file, n)
}
