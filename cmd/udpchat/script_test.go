package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"udpchat/cmd/internal/compare"
	"udpchat/cmd/internal/port"
)

// scriptWait is how long a script waits for something to happen before it fails. It is far more than anything takes,
// because many tests share a slow machine; nothing ever sleeps this long.
const scriptWait = time.Minute

// pollEvery is how often a file is looked at that another process writes to.
const pollEvery = 10 * time.Millisecond

// scriptsAtOnce is how many tests run at a time, however few processors there are: scripts wait for processes, and those
// for each other.
const scriptsAtOnce = 6

func TestMain(m *testing.M) {
	compare.Main() // Started again by 'compare', this program has a name that testscript does not know.
	if filepath.Base(os.Args[0]) != "udpchat" {
		flag.Parse()
		if err := flag.Set("test.parallel", strconv.Itoa(scriptsAtOnce)); err != nil {
			panic(err)
		}
	}
	testscript.Main(m, map[string]func(){"udpchat": main})
}

// TestScripts runs testdata/*.txtar: the whole program, as processes, on loopback. There is one script for each sentence
// the README promises. Beside what testscript brings, they may say:
//
//	start NAME [VAR=VALUE]... PROGRAM [ARG]...
//	                                 start a process; its output goes to the files NAME.out and NAME.err; it sees only
//	                                 the variables given here
//	dial NAME tcp|udp ADDRESS        be a client made by somebody else; what arrives goes to NAME.out
//	listen NAME udp ADDRESS          the same, for a socket that waits; ADDRESS is in the variable NAME
//	port VAR                         put the number of a port into a variable that is free, and stays so between two servers
//	                                 which a script starts there one after the other
//	send NAME TEXT [COUNT]           write TEXT and a newline to a process, or TEXT as one segment or datagram with
//	                                 \n in it written out; with COUNT, so often, %d being the number from 1
//	close NAME                       close a process's standard input, or a dialled connection
//	signal NAME INT|TERM|KILL        send a signal to a process
//	finish NAME [CODE]               wait for a process to end and check its exit code, 0 if not given; -1 is one that was
//	                                 killed
//	waitfor FILE REGEXP [VAR]...     wait until REGEXP matches in FILE; put its groups into variables
//	sequence FILE TEXT COUNT         the lines that match TEXT with any number for %d are there once each, 1 to COUNT,
//	                                 in order
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			// Nothing of a script may be left on the machine, nor anything of the machine's user get into it.
			env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, ".config"))
			env.Setenv("XDG_STATE_HOME", filepath.Join(env.WorkDir, ".state"))
			// With the race detector each process would wait for a second at its end, for goroutines that still run.
			env.Setenv("GORACE", "atexit_sleep_ms=0")
			a := &actors{dir: env.WorkDir, env: slices.Clone(env.Vars), all: map[string]actor{}}
			env.Values[actorsKey{}] = a
			env.Defer(a.stop)
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"start":    onActors(2, (*actors).start),
			"dial":     onActors(3, (*actors).dial),
			"listen":   onActors(3, (*actors).listen),
			"send":     onActors(2, (*actors).send),
			"close":    onActors(1, (*actors).close),
			"signal":   onActors(2, (*actors).signal),
			"finish":   onActors(1, (*actors).finish),
			"port":     freePort,
			"waitfor":  waitFor,
			"sequence": sequence,
		},
	})
}

// onActors makes a script command of a method; it needs at least n arguments and cannot be negated.
func onActors(n int, f func(a *actors, ts *testscript.TestScript, args []string) error) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) < n {
			ts.Fatalf("needs at least %d arguments and no !", n)
		}
		a, ok := ts.Value(actorsKey{}).(*actors)
		if !ok {
			ts.Fatalf("BUG: no actors")
		}
		ts.Check(f(a, ts, args))
	}
}

// waitFor is the command waitfor.
func waitFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: waitfor FILE REGEXP [VAR]...")
	}
	re, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	path := ts.MkAbs(args[0])
	var groups []string
	text := ""
	ok := poll(func() bool {
		b, err := os.ReadFile(path)
		text = string(b)
		groups = re.FindStringSubmatch(text)
		return err == nil && groups != nil
	})
	if !ok {
		ts.Fatalf("%s never matched %q; it has:\n%s", args[0], args[1], text)
	}
	for i, name := range args[2:] {
		if i+1 >= len(groups) {
			ts.Fatalf("%q has no group %d", args[1], i+1)
		}
		ts.Setenv(name, groups[i+1])
	}
}

// freePort is the command port.
func freePort(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: port VAR")
	}
	ports, err := port.Free(1)
	ts.Check(err)
	ts.Setenv(args[0], strconv.Itoa(ports[0]))
}

// sequence is the command sequence.
func sequence(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: sequence FILE TEXT COUNT")
	}
	count, err := strconv.Atoi(args[2])
	ts.Check(err)
	ts.Check(inSequence(ts.ReadFile(args[0]), args[1], count))
}

// inSequence reports what is wrong with the numbers that stand in text where pattern has %d: they must be 1 to count.
func inSequence(text, pattern string, count int) error {
	re, err := regexp.Compile("(?m)^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), "%d", `(\d+)`) + "$")
	if err != nil {
		return err
	}
	next := 1
	for _, m := range re.FindAllStringSubmatch(text, -1) {
		n, err := strconv.Atoi(m[1])
		switch {
		case err != nil:
			return err
		case n < next:
			return fmt.Errorf("%q number %d came after %d: doubled or out of order", pattern, n, next-1)
		case n > next:
			return fmt.Errorf("%q number %d came after %d: lost or out of order", pattern, n, next-1)
		}
		next++
	}
	if next != count+1 {
		return fmt.Errorf("%q arrived %d times, want %d", pattern, next-1, count)
	}
	return nil
}

// poll asks ok until it says yes or scriptWait is over, and reports what it said last.
func poll(ok func() bool) bool {
	for deadline := time.Now().Add(scriptWait); time.Now().Before(deadline); time.Sleep(pollEvery) {
		if ok() {
			return true
		}
	}
	return ok()
}

func TestSequenceFindsWhatIsWrong(t *testing.T) {
	tests := []struct{ text, want string }{
		{"a> m1\nnoise\na> m2\na> m3\n", ""},
		{"a> m1\na> m3\n", "lost"},
		{"a> m1\na> m1\na> m2\na> m3\n", "doubled"},
		{"a> m2\na> m1\na> m3\n", "lost or out of order"},
		{"a> m1\na> m2\n", "2 times, want 3"},
		{"", "0 times"},
	}
	for _, tt := range tests {
		err := inSequence(tt.text, "a> m%d", 3)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: got %v, want %q", tt.text, err, tt.want)
		}
	}
}
