package reliable

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/ipv4"
)

// A kernel is the other side of a socket, with its moods.
type kernel struct {
	rng       *rand.Rand
	refuse    map[netip.AddrPort]error // destinations it sends nothing to
	noControl bool                     // it refuses control messages
	noCuts    bool                     // it refuses messages that it is to cut
	most      int                      // it takes up to so many at a time
	got       []uint32                 // first bytes of what it sent
}

func (k *kernel) send(b, oob []byte, to netip.AddrPort) error {
	switch {
	case k.refuse[to] != nil:
		return k.refuse[to]
	case k.noControl && len(oob) > 0:
		return syscall.EINVAL
	}
	k.got = append(k.got, binary.BigEndian.Uint32(b))
	return nil
}

func (k *kernel) WriteMsgUDPAddrPort(b, oob []byte, to netip.AddrPort) (int, int, error) {
	return len(b), len(oob), k.send(b, oob, to)
}

func (k *kernel) WriteBatch(ms []ipv4.Message, _ int) (int, error) {
	ms = ms[:min(len(ms), 1+k.rng.IntN(k.most))]
	for i, m := range ms {
		to, err := m.Addr.(*net.UDPAddr).AddrPort(), error(nil)
		if k.noCuts && len(m.Buffers) > 1 {
			err = syscall.EIO
		}
		for _, b := range m.Buffers { // What it refuses it refuses from the first on.
			if err == nil {
				err = k.send(b, m.OOB, to)
			}
		}
		if err != nil && i == 0 {
			return -1, err
		} else if err != nil {
			return i, nil
		}
	}
	return len(ms), nil
}

func (k *kernel) ReadBatch([]ipv4.Message, int) (int, error) { return 0, net.ErrClosed }
func (k *kernel) ReadMsgUDPAddrPort(_, _ []byte) (n, oobn, flags int, from netip.AddrPort, err error) {
	return 0, 0, 0, netip.AddrPort{}, net.ErrClosed
}
func (k *kernel) Close() error { return nil }

// Whatever the kernel refuses, and however few it takes at a time, the other datagrams of a batch leave, once and in
// their order, and the refused ones are told.
func TestRefusedDatagramsDoNotTakeTheOthersAlong(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	cut, refused := false, false
	for round := range 500 {
		k := &kernel{rng: rng, most: 1 + rng.IntN(batchDatagrams), noControl: rng.IntN(2) == 0, refuse: make(map[netip.AddrPort]error)}
		k.noCuts = rng.IntN(2) == 0
		s := &udpSocket{conn: k, many: k, info: rng.IntN(2) == 0, cuts: rng.IntN(2) == 0}
		ds := make([]outgoing, 1+rng.IntN(3*batchDatagrams))
		var want, failed []uint32
		for i := range ds {
			to := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(rng.IntN(10))}), 1)
			if i > 0 && rng.IntN(2) == 0 {
				to = ds[i-1].Path.Remote
			}
			if to.Addr().As4()[3] < 3 {
				k.refuse[to] = [...]error{syscall.EPERM, syscall.ENOBUFS, syscall.EMSGSIZE, syscall.EINVAL}[rng.IntN(4)]
				failed = append(failed, uint32(i))
			} else {
				want = append(want, uint32(i))
			}
			ds[i].Datagram = Datagram{
				Path:  Path{Remote: to, Local: netip.AddrFrom4([4]byte{10, 0, 1, byte(i / 20 % 3)})},
				Bytes: append(binary.BigEndian.AppendUint32(nil, uint32(i)), make([]byte, rng.IntN(5)/4)...),
			}
		}
		var told []uint32
		s.writeAll(ds, func(d *outgoing, err error) {
			if err != k.refuse[d.Path.Remote] {
				t.Errorf("seed %d, round %d: told %v, want %v", seed, round, err, k.refuse[d.Path.Remote])
			}
			told = append(told, binary.BigEndian.Uint32(d.Bytes))
		})
		if !equal(k.got, want) || !equal(told, failed) {
			t.Fatalf("seed %d, round %d: sent %v, want %v; refused %v, want %v", seed, round, k.got, want, told, failed)
		}
		if k.noControl && s.info && len(want) > 0 && !s.noControl.Load() {
			t.Errorf("seed %d, round %d: the kernel takes no control messages, and is asked for ever", seed, round)
		}
		if !k.noControl {
			cut, refused = cut || s.cutOnce.Load(), refused || s.noCuts.Load()
		}
	}
	if !cut || !refused {
		t.Errorf("seed %d: cut %v, refused to cut %v, want both", seed, cut, refused)
	}
}

func equal(a, b []uint32) bool { return len(a) == 0 && len(b) == 0 || bytes.Equal(words(a), words(b)) }

func words(a []uint32) (b []byte) {
	for _, n := range a {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return b
}

// A destination that the kernel refuses does not stop what leaves with it for others, nor forget where answers leave
// from.
func TestRealBatchWithABadDestination(t *testing.T) {
	for _, noBatch := range []bool{false, true} {
		for _, host := range here(t, "127.0.0.1", "::1") {
			sender, receiver := newTestSocket(t, ":0", noBatch), newTestSocket(t, net.JoinHostPort(host, "0"), noBatch)
			from := netip.MustParseAddr(host)
			if from.Is4() {
				from = netip.MustParseAddr("127.0.0.5")
			}
			bad := netip.AddrPortFrom(from, 0)
			var ds []outgoing
			for i := range 40 {
				to := receiver.local()
				if i%7 == 3 {
					to = bad
				}
				d := Datagram{Path: Path{Remote: to, Local: from}, ECN: ECN(i % 4), Bytes: []byte{byte(i), 1, 2, 3}}
				ds = append(ds, outgoing{Datagram: d})
			}
			refused := 0
			sender.writeAll(ds, func(d *outgoing, err error) {
				if refused++; d.Path.Remote != bad {
					t.Errorf("%s: refused to %v: %v", host, d.Path.Remote, err)
				}
			})
			if refused != 6 {
				t.Errorf("%s: %d datagrams refused, want 6", host, refused)
			}
			var in []*datagram
			var err error
			for next := 0; next < len(ds); {
				if in, err = receiver.read(in[:0], func() *datagram { return new(datagram) }); err != nil {
					t.Fatal(err)
				}
				for _, d := range in {
					for next%7 == 3 {
						next++
					}
					want := ds[next]
					next++
					if !bytes.Equal(d.buf[:d.n], want.Bytes) || d.path.Remote.Addr() != from {
						t.Fatalf("%s: got % x from %v, want % x from %v", host, d.buf[:d.n], d.path.Remote, want.Bytes, from)
					}
					if d.ecn != want.ECN && batches { // The system that has batches has marks.
						t.Errorf("%s: mark %d, want %d", host, d.ecn, want.ECN)
					}
				}
			}
		}
	}
}

func newTestSocket(t *testing.T, addr string, noBatch bool) socket {
	t.Helper()
	pc, err := net.ListenPacket("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.Close() })
	s, err := newSocket(pc, noBatch)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A counter is a socket that counts what is written at once.
type counter struct {
	socket
	writes, datagrams int
}

func (c *counter) writeAll(ds []outgoing, _ func(*outgoing, error)) {
	c.writes++
	c.datagrams += len(ds)
}

// A message to a room with a thousand members leaves with some thirty system calls.
func TestFanOutLeavesInFewBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c counter
		w := newTestWorkers(func(c *Conn, now time.Time, b *batch) (time.Time, bool) {
			b.add(c, Datagram{Bytes: make([]byte, 300)})
			return now.Add(time.Hour), true
		})
		w.e.sock, w.max = &c, 1
		w.mu.Lock()
		for _, c := range testConns(1000) {
			w.pushLocked(c)
		}
		w.wakeLocked()
		w.mu.Unlock()
		synctest.Wait()
		if c.datagrams != 1000 || c.writes > 1000/16 {
			t.Errorf("%d datagrams in %d batches", c.datagrams, c.writes)
		}
		w.close()
		w.e.wg.Wait()
	})
}

// What leaves together keeps its order within each connection, whoever runs its turns.
func TestDatagramsOfAConnectionKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const conns, each = 10, 500
		var s orderly
		var sent [conns]uint32
		var w *workers
		w = newTestWorkers(func(c *Conn, now time.Time, b *batch) (time.Time, bool) {
			i := c.key.source
			for range 1 + i%3 {
				sent[i]++
				b.add(c, Datagram{Bytes: binary.BigEndian.AppendUint32(make([]byte, 0, 1000), sent[i])})
			}
			if sent[i] < each {
				w.push(c)
			}
			return now.Add(time.Hour), true
		})
		s.t, s.last = t, make(map[*Conn]uint32)
		w.e.sock, w.max = &s, 8
		cs := testConns(conns)
		for _, c := range cs {
			w.push(c)
		}
		synctest.Wait()
		for i, c := range cs {
			if s.last[c] != sent[i] || sent[i] < each {
				t.Errorf("connection %d: %d of %d sent", i, s.last[c], sent[i])
			}
		}
		w.close()
		w.e.wg.Wait()
	})
}

// orderly is a socket that looks at the order.
type orderly struct {
	socket
	t    *testing.T
	mu   sync.Mutex
	last map[*Conn]uint32
}

func (s *orderly) writeAll(ds []outgoing, _ func(*outgoing, error)) {
	for _, d := range ds {
		s.mu.Lock()
		if n := binary.BigEndian.Uint32(d.Bytes); n != s.last[d.from]+1 {
			s.t.Errorf("datagram %d after %d", n, s.last[d.from])
		} else {
			s.last[d.from] = n
		}
		s.mu.Unlock()
	}
}

// A quiet endpoint holds the memory of few datagrams, a busy one reads many at once.
func TestReadsGrowWithWhatComes(t *testing.T) {
	want := 1
	for _, step := range []struct{ came, want int }{{1, 2}, {1, 1}, {1, 2}, {2, 4}, {4, 8}, {8, 16}, {16, 16}, {9, 9}, {1, 1}} {
		if want = nextArrivals(step.came, want); want != step.want {
			t.Errorf("after %d came: %d, want %d", step.came, want, step.want)
		}
	}
}

// With batches off everything works as without.
func TestEverythingWorksWithoutBatches(t *testing.T) {
	e, err := Listen("127.0.0.1:0", Config{NoBatch: true})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	c, err := Dial(t.Context(), e.Addr().String(), Config{NoBatch: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s, err := e.Accept()
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(s, s) }() // Ends with the connection.
	data := randomBytes(1<<20, 3)
	go func() { _, _ = c.Write(data) }()
	got := make([]byte, len(data))
	if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%v", err)
	}
	c.Abort(0, "")
	if err := e.Close(); err != nil { // Its reader has counted all, then.
		t.Error(err)
	}
	if n := e.Stats(); n.WriteCalls < n.ReadCalls/100 || n.ReadCalls != n.Datagrams {
		t.Errorf("%d calls for %d datagrams", n.ReadCalls, n.Datagrams)
	}
}

// However the kernel joins and cuts, every datagram arrives as it was.
func TestRealBatchKeepsBoundaries(t *testing.T) {
	for _, host := range here(t, "127.0.0.1", "::1") {
		sender, receiver := newTestSocket(t, ":0", false), newTestSocket(t, net.JoinHostPort(host, "0"), false)
		rng := rand.New(rand.NewPCG(1, 1))
		var in []*datagram
		for round := range 50 {
			var ds []outgoing
			size := 1 + rng.IntN(1200)
			for len(ds) < 1+rng.IntN(3*batchDatagrams) {
				if rng.IntN(20) == 0 {
					size = 1 + rng.IntN(1200)
				}
				b := randomBytes(size, uint64(round*1000+len(ds)))
				ds = append(ds, outgoing{Datagram: Datagram{Path: Path{Remote: receiver.local()}, Bytes: b}})
			}
			sender.writeAll(ds, func(_ *outgoing, err error) { t.Error(err) })
			for len(ds) > 0 {
				var err error
				if in, err = receiver.read(in[:0], func() *datagram { return new(datagram) }); err != nil {
					t.Fatal(err)
				}
				for _, d := range in {
					if !bytes.Equal(d.buf[:d.n], ds[0].Bytes) {
						t.Fatalf("%s, round %d: got %d bytes, want %d, or others", host, round, d.n, len(ds[0].Bytes))
					}
					ds = ds[1:]
				}
			}
		}
		if _, writes := sender.calls(); batches && writes > 200 {
			t.Errorf("%s: %d system calls", host, writes)
		}
	}
}
