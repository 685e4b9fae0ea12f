package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

// A Server is a server process started for a run.
type Server struct {
	Addr string
	cmd  *exec.Cmd
	data string // its directory
	out  io.ReadCloser
	logs strings.Builder
}

// listening is the line a server prints when it is ready.
var listening = regexp.MustCompile(`tcp ([0-9.\[\]:a-f]+:[0-9]+)`)

// Start runs the executable's serve command on a free port of 127.0.0.1, with no limits that a load test would meet.
func Start(ctx context.Context, executable string, args ...string) (*Server, error) {
	data, err := os.MkdirTemp("", "udpchat-bench-*")
	if err != nil {
		return nil, fmt.Errorf("bench: starting the server: %w", err)
	}
	args = append([]string{
		"serve", "--listen", "127.0.0.1:0", "--data", data, "--log-level", "warn",
		"--requests-per-second", "1000000", "--requests-burst", "1000000", "--sessions-max", "1000000",
	}, args...)
	s := &Server{cmd: exec.CommandContext(ctx, executable, args...), data: data}
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(os.Interrupt) }
	s.cmd.WaitDelay = 5 * time.Second
	s.cmd.Stderr = &s.logs
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("bench: starting the server: %w", err)
	}
	s.out = out
	if err := s.cmd.Start(); err != nil {
		_ = os.Remove(data) // It is empty.
		return nil, fmt.Errorf("bench: starting the server: %w", err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if m := listening.FindStringSubmatch(lines.Text()); m != nil {
			s.Addr = m[1]
			return s, nil
		}
	}
	return nil, errors.Join(errors.New("bench: the server did not say where it listens"), s.Stop())
}

// PID is the server's process.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Stop ends the server in order and waits for it. What it complained about becomes part of the error.
func (s *Server) Stop() error {
	_ = s.cmd.Process.Signal(os.Interrupt) // It may have ended by itself; Wait tells.
	err := errors.Join(s.cmd.Wait(), os.RemoveAll(s.data))
	if err != nil {
		return fmt.Errorf("bench: the server ended with %w\n%s", err, s.logs.String())
	}
	return nil
}

// Logs returns what the server logged.
func (s *Server) Logs() string { return s.logs.String() }

// resolve looks a server's address up.
func resolve(addr string) (*net.UDPAddr, error) {
	udp, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		return nil, fmt.Errorf("bench: server address %q: %w", addr, err)
	}
	return udp, nil
}
