package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"udpchat/config"
	"udpchat/reliable"
)

// How long stopping may take before connections are cut.
const (
	goodbyeTimeout = 5 * time.Second        // After a signal: members on bad links hear the good-bye too.
	killTimeout    = 400 * time.Millisecond // After KILL_SERVICE: everything is gone within half a second.
)

func newServeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Start a chat server",
		Long: `Start a chat server. One port number serves TCP, reliable UDP and plain text datagrams; all members share the
same rooms, whatever they come over. Settings come from flags, UDPCHAT_… variables and a file: see 'udpchat config'.

Ctrl-C stops it: members are told, connections closed. A second Ctrl-C quits at once.`,
		Example: strings.Trim(`
  udpchat serve                       on port 4000 of all addresses
  udpchat serve --listen 127.0.0.1:0  on a free port, for this machine only
  udpchat serve --listen :4000 --listen :5050/tcp/relay
                                      and on the usual port of another protocol
  udpchat config init && udpchat serve --config udpchat.yaml
                                      with a file of settings`, "\n"),
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, _, err := config.Load(config.Sources{Flags: cmd.Flags(), Environment: true})
			if err != nil {
				return adviseConfig(err)
			}
			log, err := newLogger(cfg, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return serve(cmd.Context(), cfg, log, cmd.OutOrStdout())
		},
	}
	config.AddFlags(cmd.Flags())
	return cmd
}

// serve runs a server until somebody stops it.
func serve(ctx context.Context, cfg config.Config, log *slog.Logger, stdout io.Writer) error {
	signals := make(chan os.Signal, 2) // Room for the second one while we handle the first.
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)

	killed := make(chan struct{})
	n, err := build(ctx, cfg, log, sync.OnceFunc(func() { close(killed) }))
	if err != nil {
		return err
	}
	greet(stdout, os.Args[0], n.addrs, names(n.fronts), n.invite())
	quietly, busy := context.WithCancel(ctx)
	var memory sync.WaitGroup
	memory.Go(func() { giveMemoryBack(quietly) })
	defer memory.Wait()
	defer busy()
	return runUntilStopped(ctx, n, signals, killed, stdout)
}

// A service runs until it is stopped: a node, or a fake in tests.
type service interface {
	serve(ctx context.Context) error // Blocks until stop, or until it cannot go on.
	stop(ctx context.Context) error  // Blocks until everything has ended, at the latest when ctx ends.
}

// runUntilStopped runs s until a signal, killed, the end of ctx, or until s cannot go on, and stops it. A second signal
// does not wait for that.
func runUntilStopped(ctx context.Context, s service, signals <-chan os.Signal, killed <-chan struct{}, stdout io.Writer) error {
	broken := make(chan error, 1)
	var running sync.WaitGroup
	// Owns accepting; ends with s.stop.
	running.Go(func() {
		if err := s.serve(ctx); err != nil {
			broken <- err
		}
	})
	timeout := goodbyeTimeout
	var err error
	select {
	case <-signals:
		if isTerminal(stdout) {
			fmt.Fprintln(stdout) // Below the ^C that terminals show.
		}
		fmt.Fprintln(stdout, "stopping: telling the members (Ctrl-C again quits at once)")
	case <-killed:
		fmt.Fprintln(stdout, "stopping: a client sent KILL_SERVICE")
		timeout = killTimeout
	case err = <-broken:
	case <-ctx.Done():
	}

	stopped := make(chan error, 1)
	// Ends with s.stop, which ends after timeout at the latest, or with the process.
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
		defer cancel()
		err := s.stop(ctx)
		running.Wait()
		stopped <- err
	}()
	select {
	case stopErr := <-stopped:
		if err := errors.Join(err, stopErr); err != nil {
			return failures(err)
		}
		fmt.Fprintln(stdout, "stopped")
		return nil
	case <-signals:
		return failures(errors.New("quit by a second signal, before everybody was told"))
	}
}

// An address is where the server listens.
type address struct {
	transport string
	protocol  string // What is spoken there, or auto.
	net.Addr
}

// pinned reports whether only one protocol is spoken there, and not that of our own clients.
func (a address) pinned() bool {
	return a.protocol != config.Auto && a.protocol != config.Lab && a.protocol != config.Native
}

// String is transport, address and, if there is only one, protocol; an address of all interfaces is shown as :PORT.
func (a address) String() string {
	host, port, err := net.SplitHostPort(a.Addr.String())
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		host = ""
	}
	text := a.transport + " " + net.JoinHostPort(host, port)
	if a.protocol != config.Auto {
		text += " (" + a.protocol + ")"
	}
	return text
}

// greet says where the server listens, what its key is, how others are invited, how to join from another terminal and how to stop. Scripts read
// the first line.
func greet(w io.Writer, program string, addrs []address, protocols []string, to invite) {
	where := make([]string, len(addrs))
	for i, a := range addrs {
		where[i] = a.String()
	}
	fmt.Fprintf(w, "listening on %s\n", strings.Join(where, ", "))
	if slices.ContainsFunc(addrs, func(a address) bool { return a.protocol == config.Auto }) {
		fmt.Fprintf(w, "speaking %s: each connection shows by its first bytes which\n", strings.Join(protocols, ", "))
	}
	if to.key != (reliable.Key{}) {
		fmt.Fprintf(w, "server key %v\n", to.key)
		fmt.Fprintf(w, "invite %v\n", to)
	}
	fmt.Fprintf(w, "\nTo join, type this in another terminal:\n\n  %s\n\n", joinCommand(program, addrs))
	fmt.Fprintf(w, "Press Ctrl-C to stop.\n")
}

// joinCommand is the command that joins from another terminal of this machine, over the best transport there is.
func joinCommand(program string, addrs []address) string {
	to := best(addrs)
	host, port, _ := net.SplitHostPort(to.Addr.String()) // What the kernel gave us has both.
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	cmd := fmt.Sprintf("%s chat --server %s", program, net.JoinHostPort(host, port))
	if to.transport != config.UDP { // What chat takes if it is not told.
		cmd += " --transport " + to.transport
	}
	return cmd + " --name ann --room lobby"
}

// best returns the first address with the best transport there is, if possible one where our own clients are understood.
func best(addrs []address) address {
	for _, pinned := range []bool{false, true} {
		for _, t := range []string{config.UDP, config.TCP} {
			if i := slices.IndexFunc(addrs, func(a address) bool { return a.transport == t && a.pinned() == pinned }); i >= 0 {
				return addrs[i]
			}
		}
	}
	return addrs[0]
}
