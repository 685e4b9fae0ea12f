package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// actorsKey is where a script's environment keeps its actors.
type actorsKey struct{}

// actors are the processes and sockets of one script, by name. They belong to the script's goroutine.
type actors struct {
	dir string   // The script's working directory.
	env []string // The script's environment as it began.
	all map[string]actor
}

// An actor is a process or a socket of a script.
type actor interface {
	send(text string) error
	close() error // Of its input: the process goes on.
	stop()        // Ends it and waits for it.
}

func (a *actors) add(name string, what actor) error {
	if _, ok := a.all[name]; ok {
		return fmt.Errorf("%s is there already", name)
	}
	a.all[name] = what
	return nil
}

func (a *actors) stop() {
	for _, what := range a.all {
		what.stop()
	}
}

func (a *actors) named(name string) (actor, error) {
	if what, ok := a.all[name]; ok {
		return what, nil
	}
	return nil, fmt.Errorf("there is no %s", name)
}

func (a *actors) process(name string) (*process, error) {
	if p, ok := a.all[name].(*process); ok {
		return p, nil
	}
	return nil, fmt.Errorf("there is no process %s", name)
}

// start is the command start.
func (a *actors) start(ts *testscript.TestScript, args []string) error {
	name, args := args[0], args[1:]
	env := slices.Clone(a.env)
	for len(args) > 1 && strings.Contains(args[0], "=") {
		env, args = append(env, args[0]), args[1:]
	}
	out, err := os.Create(filepath.Join(a.dir, name+".out"))
	if err != nil {
		return err
	}
	defer out.Close()
	errOut, err := os.Create(filepath.Join(a.dir, name+".err"))
	if err != nil {
		return err
	}
	defer errOut.Close()
	p := &process{cmd: exec.Command(args[0], args[1:]...), done: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env = a.dir, env
	p.cmd.Stdout, p.cmd.Stderr = out, errOut
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return err
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	// Waits for the process, which stop kills at the latest.
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return a.add(name, p)
}

// dial is the command dial.
func (a *actors) dial(ts *testscript.TestScript, args []string) error {
	conn, err := net.DialTimeout(args[1], args[2], scriptWait)
	if err != nil {
		return err
	}
	return a.addPeer(args[0], conn)
}

// listen is the command listen. Only UDP: a socket that waits there is as good as one that dials.
func (a *actors) listen(ts *testscript.TestScript, args []string) error {
	addr, err := net.ResolveUDPAddr(args[1], args[2])
	if err != nil {
		return err
	}
	conn, err := net.ListenUDP(args[1], addr)
	if err != nil {
		return err
	}
	ts.Setenv(args[0], conn.LocalAddr().String())
	_, port, err := net.SplitHostPort(conn.LocalAddr().String())
	ts.Setenv(args[0]+"_PORT", port)
	return errors.Join(err, a.addPeer(args[0], conn))
}

func (a *actors) addPeer(name string, conn net.Conn) error {
	out, err := os.Create(filepath.Join(a.dir, name+".out"))
	if err != nil {
		return err
	}
	p := &peer{conn: conn}
	// Copies what arrives until stop or the other side closes the connection.
	p.reader.Go(func() {
		defer out.Close()
		buf := make([]byte, 64<<10)
		for {
			n, err := conn.Read(buf)
			_, _ = out.Write(buf[:n]) // A full disk fails the script by itself.
			if err != nil {
				if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
					_, _ = out.WriteString("[closed]\n")
				}
				return
			}
		}
	})
	return a.add(name, p)
}

// send is the command send.
func (a *actors) send(ts *testscript.TestScript, args []string) error {
	what, err := a.named(args[0])
	if err != nil {
		return err
	}
	if len(args) < 3 {
		return what.send(args[1])
	}
	count, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	for i := range count {
		if err := what.send(strings.ReplaceAll(args[1], "%d", strconv.Itoa(i+1))); err != nil {
			return err
		}
	}
	return nil
}

// close is the command close.
func (a *actors) close(ts *testscript.TestScript, args []string) error {
	what, err := a.named(args[0])
	if err != nil {
		return err
	}
	return what.close()
}

// signal is the command signal.
func (a *actors) signal(ts *testscript.TestScript, args []string) error {
	p, err := a.process(args[0])
	if err != nil {
		return err
	}
	sig, ok := map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM, "KILL": os.Kill}[args[1]]
	if !ok {
		return fmt.Errorf("no signal %s", args[1])
	}
	return p.cmd.Process.Signal(sig)
}

// finish is the command finish.
func (a *actors) finish(ts *testscript.TestScript, args []string) error {
	p, err := a.process(args[0])
	if err != nil {
		return err
	}
	want := 0
	if len(args) > 1 {
		if want, err = strconv.Atoi(args[1]); err != nil {
			return err
		}
	}
	select {
	case <-p.done:
	case <-time.After(scriptWait):
		return fmt.Errorf("%s does not end", args[0])
	}
	if got := p.cmd.ProcessState.ExitCode(); got != want {
		stderr, _ := os.ReadFile(filepath.Join(a.dir, args[0]+".err")) // For the message only.
		return fmt.Errorf("%s ended with exit code %d, want %d; stderr:\n%s", args[0], got, want, stderr)
	}
	return nil
}

// A process is a started program.
type process struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	done chan struct{} // Closed when it has ended.
	err  error         // Of Wait; read after done.
}

func (p *process) send(text string) error {
	_, err := io.WriteString(p.in, text+"\n")
	return err
}

func (p *process) close() error { return p.in.Close() }

func (p *process) stop() {
	_ = p.cmd.Process.Kill() // An error means that it has ended.
	<-p.done
}

// A peer is a socket that speaks to the server without any of our code.
type peer struct {
	conn   net.Conn
	reader sync.WaitGroup
}

func (p *peer) send(text string) error {
	_, err := p.conn.Write(bytes.ReplaceAll([]byte(text), []byte(`\n`), []byte("\n")))
	return err
}

func (p *peer) close() error { return p.conn.Close() }

func (p *peer) stop() {
	_ = p.conn.Close() // It may be closed.
	p.reader.Wait()
}
