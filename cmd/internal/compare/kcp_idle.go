package compare

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"

	kcp "github.com/xtaci/kcp-go/v5"

	"udpchat/cmd/internal/bench"
)

// KCPServerCommand is the argument with which the program starts itself to be a server of kcp-go's sessions: it must call
// ServeKCP then.
const KCPServerCommand = "compare-kcp-server"

// ServeKCP accepts sessions on a free port of 127.0.0.1, says on out where, and echoes what they send, until in ends.
func ServeKCP(in io.Reader, out io.Writer) error {
	l, err := kcp.ListenWithOptions("127.0.0.1:0", nil, 0, 0)
	if err != nil {
		return fmt.Errorf("kcp: %w", err)
	}
	fmt.Fprintln(out, l.Addr())
	// Owns accepting; ends with the process.
	go func() {
		for {
			s, err := l.AcceptKCP()
			if err != nil {
				return
			}
			kcpTransport{}.set(s)
			go func() { _, _ = io.Copy(s, s) }() // Ends with the process: what it could say nobody wants to know.
		}
	}()
	_, err = io.Copy(io.Discard, in)
	return err
}

// IdleKCP opens so many sessions to a server process of kcp-go's, each of which has said one thing, and measures that process
// as bench.IdleConfig measures ours.
func IdleKCP(ctx context.Context, connections int, watch time.Duration, progress func(string, ...any)) (out bench.Idle, err error) {
	out = bench.Idle{Transport: "kcp-go UDPSession", Connections: connections}
	program, err := os.Executable()
	if err != nil {
		return out, fmt.Errorf("compare: finding this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, program, KCPServerCommand)
	in, err1 := cmd.StdinPipe()
	lines, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2); err != nil {
		return out, fmt.Errorf("compare: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return out, fmt.Errorf("compare: %w", err)
	}
	defer func() { err = errors.Join(err, in.Close(), cmd.Wait()) }()
	line, err := bufio.NewReader(lines).ReadString('\n')
	if err != nil {
		return out, fmt.Errorf("compare: the server of kcp-go did not start: %w", err)
	}
	server, err := net.ResolveUDPAddr("udp", strings.TrimSpace(line))
	if err != nil {
		return out, fmt.Errorf("compare: %w", err)
	}
	if err := openKCP(ctx, server, 1); err != nil { // The first pays for what is needed once.
		return out, err
	}
	if out.RSSBefore, _, err = bench.Process(cmd.Process.Pid); err != nil {
		return out, err
	}
	progress("opening %d sessions of kcp-go", connections)
	if err := openKCP(ctx, server, connections); err != nil {
		return out, err
	}
	progress("watching for %v", watch)
	if err := pause(ctx, watch); err != nil {
		return out, err
	}
	_, before, err := bench.Process(cmd.Process.Pid)
	if err != nil {
		return out, err
	}
	if err := pause(ctx, watch); err != nil {
		return out, err
	}
	rss, after, err := bench.Process(cmd.Process.Pid)
	out.RSSAfter, out.RSSPerConnection = rss, (rss-out.RSSBefore)/int64(connections)
	out.CPUPercentOfACore = 100 * (after - before).Seconds() / watch.Seconds()
	return out, err
}

func pause(ctx context.Context, d time.Duration) error {
	if !sleepUntil(ctx, time.Now().Add(d)) {
		return ctx.Err()
	}
	return nil
}

// openKCP makes n sessions, a socket each, because the server knows them by their addresses. Each says one thing and waits
// for its echo. Then the client's end is closed, of which the server hears nothing: only its own cost remains.
func openKCP(ctx context.Context, server net.Addr, n int) error {
	b := make([]byte, 1)
	for i := range n {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		pc, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			return fmt.Errorf("kcp: session %d: %w", i, err)
		}
		s, err := kcp.NewConn4(uint32(i+2), server, nil, 0, 0, true, pc)
		if err != nil {
			return errors.Join(fmt.Errorf("kcp: session %d: %w", i, err), pc.Close())
		}
		kcpTransport{}.set(s)
		_ = s.SetDeadline(time.Now().Add(10 * time.Second)) // It never fails.
		if _, err = s.Write([]byte("x")); err == nil {
			_, err = s.Read(b)
		}
		_ = s.Close() // Closing tells the server nothing.
		if err != nil {
			return fmt.Errorf("kcp: session %d: %w", i, err)
		}
	}
	return nil
}
