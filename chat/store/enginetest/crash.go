package enginetest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"udpchat/chat"
)

// CrashConfig says what Crash does.
type CrashConfig struct {
	// Storage makes empty storage and returns its name, which another process can open it by.
	Storage func(tb testing.TB) string

	// Open opens an engine on storage of that name.
	Open func(name string) (chat.Engine, error)

	Kills int // How often the process is killed.

	// Writers and PerSecond are how many goroutines append how many messages a second, all together; 0 means 20 and 500.
	Writers, PerSecond int

	// Life is how long a process lives, about: half of that to one and a half; 0 means 200 ms.
	Life time.Duration

	// Hurt, if not nil, does something to the storage while nobody has it open, after each kill.
	Hurt func(tb testing.TB, name string)
}

func (cfg CrashConfig) withDefaults() CrashConfig {
	if cfg.Writers == 0 {
		cfg.Writers = 20
	}
	if cfg.PerSecond == 0 {
		cfg.PerSecond = 500
	}
	if cfg.Life == 0 {
		cfg.Life = 200 * time.Millisecond
	}
	return cfg
}

// What the process to be killed finds in its environment: the storage, what it goes on from, and messages a second.
const (
	envStorage   = "ENGINETEST_CRASH_STORAGE"
	envNext      = "ENGINETEST_CRASH_NEXT"
	envPerSecond = "ENGINETEST_CRASH_PER_SECOND"
)

// crashRooms are the rooms that the writers write to in turn.
var crashRooms = []string{"kitchen", "hall", "cellar"}

// CrashMain is the process that Crash kills. A TestMain calls it before anything else; it returns at once in a process that
// Crash has not started.
func CrashMain(open func(name string) (chat.Engine, error)) {
	name := os.Getenv(envStorage)
	if name == "" {
		return
	}
	if err := crashWrite(open, name); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// crashWrite appends messages until it is killed. It prints a line for what it was told and what it was delivered, each with
// one write, so that what the parent has read was said:
//
//	ready
//	ack WRITER NUMBER SEQ
//	got ROOM SEQ ID
func crashWrite(open func(name string) (chat.Engine, error), name string) error {
	perSecond, err := strconv.Atoi(os.Getenv(envPerSecond))
	if err != nil {
		return err
	}
	next := strings.Fields(os.Getenv(envNext))
	e, err := open(name)
	if err != nil {
		return err
	}
	for _, room := range crashRooms {
		if _, err := e.Subscribe(room, func(m chat.Msg) { fmt.Fprintf(os.Stdout, "got %s %d %s\n", room, m.Seq, m.ID) }); err != nil {
			return err
		}
	}
	fmt.Println("ready")
	errs := make(chan error, len(next))
	for w := range next {
		n, err := strconv.Atoi(next[w])
		if err != nil {
			return err
		}
		// Ends with the process, or when an Append fails.
		go func() {
			tick := time.NewTicker(time.Second * time.Duration(len(next)) / time.Duration(perSecond))
			defer tick.Stop()
			for ; ; n++ {
				room, id := crashMessage(w, n)
				m, err := e.Append(context.Background(), room, id, []byte(id))
				if err != nil {
					errs <- err
					return
				}
				fmt.Fprintf(os.Stdout, "ack %d %d %d\n", w, n, m.Seq)
				<-tick.C
			}
		}()
	}
	return <-errs
}

// crashMessage is where writer w says its message n, and under what id.
func crashMessage(w, n int) (room, id string) {
	return crashRooms[(w+n)%len(crashRooms)], msgID(fmt.Sprint("w", w), n)
}

// Crash kills a process that writes, again and again, at random moments. A new one goes on with the messages that nobody was
// told about. In the end every message has to be stored once, in the order of its writer, where its writer and its
// subscribers were told.
func Crash(t *testing.T, cfg CrashConfig) {
	cfg = cfg.withDefaults()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	c := &crash{cfg: cfg, storage: cfg.Storage(t), next: make([]int, cfg.Writers), rnd: rand.New(rand.NewPCG(seed, 0))}
	for range cfg.Kills {
		c.life(t)
		if t.Failed() {
			return
		}
		if cfg.Hurt != nil {
			cfg.Hurt(t, c.storage)
		}
	}
	t.Logf("%d messages were acknowledged over %d lives; ready after %v (median of all), %v at most",
		len(c.acks), cfg.Kills, c.median(), c.readyMax)
	e, err := cfg.Open(c.storage)
	if err != nil {
		t.Fatalf("open after the last kill: %v", err)
	}
	defer e.Close()
	c.verify(t, e)
}

// A crash is one run of Crash.
type crash struct {
	cfg      CrashConfig
	storage  string
	rnd      *rand.Rand
	next     []int // By writer, the first message it was not told about.
	acks     []told
	got      []told
	ready    []time.Duration // How long each process took from its start until it had opened the engine.
	readyMax time.Duration
}

// told is what somebody was told about the place of a message.
type told struct {
	room, id string
	seq      uint64
}

// life runs one process and kills it.
func (c *crash) life(t *testing.T) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	next := strings.Trim(fmt.Sprint(c.next), "[]")
	cmd.Env = append(os.Environ(), envStorage+"="+c.storage, envNext+"="+next, envPerSecond+"="+strconv.Itoa(c.cfg.PerSecond))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); line != "ready\n" {
		_ = cmd.Process.Kill()
		t.Fatalf("the process said %q, %v instead of being ready: %v\n%s", line, err, cmd.Wait(), stderr.String())
	}
	c.ready = append(c.ready, time.Since(begin))
	c.readyMax = max(c.readyMax, c.ready[len(c.ready)-1])
	var killing sync.WaitGroup
	killing.Go(func() { // Ends after about a life.
		time.Sleep(c.cfg.Life/2 + time.Duration(c.rnd.Int64N(int64(c.cfg.Life))))
		_ = cmd.Process.Kill() // It may have failed by itself, which stderr tells.
	})
	c.listen(t, lines)
	killing.Wait()
	_ = cmd.Wait() // It was killed.
	if stderr.Len() > 0 {
		t.Errorf("the process said: %s", stderr.String())
	}
}

// listen reads what a process says until its end. A last line that was cut off was not said.
func (c *crash) listen(t *testing.T, lines *bufio.Reader) {
	t.Helper()
	for {
		line, err := lines.ReadString('\n')
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		var w, n int
		var x told
		if _, err := fmt.Sscanf(line, "ack %d %d %d\n", &w, &n, &x.seq); err == nil {
			x.room, x.id = crashMessage(w, n)
			c.acks = append(c.acks, x)
			c.next[w] = n + 1
		} else if _, err := fmt.Sscanf(line, "got %s %d %s\n", &x.room, &x.seq, &x.id); err == nil {
			c.got = append(c.got, x)
		} else {
			t.Fatalf("the process said %q", line)
		}
	}
}

// verify looks for everything that was told in what is stored.
func (c *crash) verify(t *testing.T, e chat.Engine) {
	t.Helper()
	at := map[told]bool{}
	r := &rig{TB: t}
	for _, room := range crashRooms {
		last := map[string]int{} // By writer.
		for _, m := range pages(r, e, room, 1000) {
			dev, number, _ := strings.Cut(m.ID, "-")
			n, err := strconv.Atoi(number)
			if before, ok := last[dev]; err != nil || ok && n <= before {
				t.Fatalf("room %s has %s at %d after number %d: twice or out of order", room, m.ID, m.Seq, before)
			}
			if string(m.Data) != m.ID {
				t.Fatalf("message %s has the text %q", m.ID, m.Data)
			}
			last[dev] = n
			at[told{room, m.ID, m.Seq}] = true
		}
	}
	for _, x := range c.acks {
		if !at[x] {
			t.Fatalf("%s was acknowledged as %d of %s, and is not there", x.id, x.seq, x.room)
		}
	}
	for _, x := range c.got {
		if !at[x] {
			t.Fatalf("%s was delivered as %d of %s, and is not there", x.id, x.seq, x.room)
		}
	}
	// What was stored and not acknowledged is at most the last message of each writer.
	if extra := len(at) - len(c.acks); extra < 0 || extra > c.cfg.Writers {
		t.Fatalf("%d messages are stored, %d were acknowledged", len(at), len(c.acks))
	}
}

func (c *crash) median() time.Duration {
	sorted := slices.Sorted(slices.Values(c.ready))
	return sorted[len(sorted)/2]
}
