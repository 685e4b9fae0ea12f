package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"udpchat/cmd/internal/bench"
	"udpchat/cmd/internal/compare"
)

// benchFlags are the flags that every kind of bench has.
type benchFlags struct {
	server    string
	transport string
	jsonFile  string
	duration  time.Duration
	serve     []string // For the server that is started.
}

func newBenchCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Drive many clients, and measure what they see",
		Long: `Drive many clients against a server and measure what they see.

Without --server a server of its own is started on a free port of 127.0.0.1 and stopped again. The clients run on the
same machine and take about half of it: compare figures of one machine, and distrust single ones.`,
		Args: subcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newBenchFanoutCommand(), newBenchIdleCommand(), newBenchPingPongCommand(), newBenchReliableCommand(), newBenchProxyCommand(), newBenchStoreCommand())
	return cmd
}

func (f *benchFlags) register(cmd *cobra.Command, transports string) {
	flags := cmd.Flags()
	flags.StringVar(&f.server, "server", "", "`HOST:PORT` or invite of a running server, whose key is not checked; empty: start one")
	flags.StringVar(&f.transport, "transport", "tcp", transports)
	flags.StringVar(&f.jsonFile, "json", "", "write the figures to this `file`, - for stdout")
	flags.DurationVar(&f.duration, "duration", 5*time.Second, "how long each phase lasts")
}

func newBenchFanoutCommand() *cobra.Command {
	var f benchFlags
	var members, stopped, size int
	var rate float64
	var durability, nats string
	cmd := &cobra.Command{
		Use:   "fanout",
		Short: "One room, many members: deliveries per second and their delay",
		Long: `Fill one room and have one member talk: first as fast as the slowest member can follow (deliveries/s), then at half
that rate, or at --rate, by a fixed plan (delay from the planned time of sending to delivery, percentiles over all members).

--stopped adds members that then stop reading, and repeats the second phase: the server must cut them off without
anybody else noticing.

The room forgets, unless --durability has the server keep it, or --nats a cluster: then a message is delivered when it is
stored.`,
		Example: strings.Trim(`
  udpchat bench fanout --members 200 --transport mixed
  udpchat bench fanout --members 1000 --transport udp --json -
  udpchat bench fanout --members 99 --stopped 1
  udpchat bench fanout --durability synced
  udpchat bench fanout --nats nats://a:4222,nats://b:4222,nats://c:4222`, "\n"),
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case f.transport != "tcp" && f.transport != "udp" && f.transport != "mixed":
				return fmt.Errorf("--transport %s: want tcp, udp or mixed", f.transport)
			case members < 1 || stopped < 0 || size < 1 || size > 60_000 || rate < 0:
				return errors.New("--members must be at least 1, --stopped and --rate at least 0, --bytes 1..60000")
			case f.server != "" && (durability != "" || nats != ""), durability != "" && nats != "":
				return errors.New("--server, --durability and --nats each say what to measure: want at most one")
			case durability != "" || nats != "":
				f.serve = append([]string{"--durable-rooms", "*"}, storeArgs([]string{durability}, nats)[0]...)
			}
			return f.run(cmd, func(ctx context.Context, server string, _ int, progress func(string, ...any)) (fmt.Stringer, error) {
				return bench.FanoutConfig{
					Server: server, Transport: f.transport, Members: members, Stopped: stopped, Bytes: size,
					Rate: rate, Duration: f.duration, Progress: progress,
				}.Run(ctx)
			})
		},
	}
	f.register(cmd, "`transport` of the members: tcp, udp or mixed (every other one)")
	cmd.Flags().IntVar(&members, "members", 100, "how many members read")
	cmd.Flags().IntVar(&stopped, "stopped", 0, "how many further members stop reading")
	cmd.Flags().Float64Var(&rate, "rate", 0, "`messages` per second in the second phase; 0: half of what the first reached")
	cmd.Flags().IntVar(&size, "bytes", 200, "length of a message's text in `bytes`")
	cmd.Flags().StringVar(&durability, "durability", "", "have the room kept, with this `level` of serve's setting of that name")
	cmd.Flags().StringVar(&nats, "nats", "", "have the room kept by a NATS cluster: its servers, as `URL`s")
	return cmd
}

func newBenchIdleCommand() *cobra.Command {
	var f benchFlags
	var connections, pid int
	var settle time.Duration
	var protocol string
	cmd := &cobra.Command{
		Use:   "idle",
		Short: "Connections that do nothing: the server's memory and time",
		Long: `Open connections that join a room and then keep quiet, and read the server's memory and processor time from /proc
(Linux only) after they have come to rest. With --server the process must be named by --pid.`,
		Example: strings.Trim(`
  udpchat bench idle --connections 10000 --transport udp
  udpchat bench idle --connections 10000 --transport tcp --json -
  udpchat bench idle --connections 5000 --protocol native
  udpchat bench idle --connections 10000 --transport kcp`, "\n"),
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case f.transport != "tcp" && f.transport != "udp" && f.transport != "kcp":
				return fmt.Errorf("--transport %s: want tcp, udp or kcp", f.transport)
			case !slices.Contains(bench.IdleProtocols, protocol):
				return fmt.Errorf("--protocol %s: want one of %s", protocol, strings.Join(bench.IdleProtocols, ", "))
			case connections < 1:
				return errors.New("--connections must be at least 1")
			case f.transport == "kcp" && f.server != "":
				return errors.New("--transport kcp measures a server of its own: --server does not go with it")
			case f.transport == "kcp":
				return f.idleKCP(cmd, connections)
			case (f.server == "") != (pid == 0):
				return errors.New("--server and --pid go together: the memory of that process is measured")
			}
			return f.run(cmd, func(ctx context.Context, server string, own int, progress func(string, ...any)) (fmt.Stringer, error) {
				if pid != 0 {
					own = pid
				}
				return bench.IdleConfig{
					Server: server, PID: own, Transport: f.transport, Protocol: protocol, Connections: connections,
					Settle: settle, Duration: f.duration, Progress: progress,
				}.Run(ctx)
			})
		},
	}
	f.register(cmd, "`transport` of the connections: tcp, udp, or kcp (kcp-go's sessions and a server of theirs, to compare)")
	cmd.Flags().IntVar(&connections, "connections", 1000, "how many connections to open")
	cmd.Flags().StringVar(&protocol, "protocol", "lab", "`protocol` they speak: "+strings.Join(bench.IdleProtocols, ", ")+"; native needs encryption (tcp is TLS then)")
	cmd.Flags().DurationVar(&settle, "settle", 45*time.Second, "how long to let connections come to rest before looking")
	cmd.Flags().IntVar(&pid, "pid", 0, "process of the server given by --server")
	return cmd
}

// idleKCP measures kcp-go's own sessions, to stand beside ours.
func (f *benchFlags) idleKCP(cmd *cobra.Command, connections int) error {
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	progress := func(format string, args ...any) { fmt.Fprintf(cmd.ErrOrStderr(), format+"\n", args...) }
	result, err := compare.IdleKCP(ctx, connections, f.duration, progress)
	if err != nil {
		return err
	}
	return f.write(cmd.OutOrStdout(), result)
}

// run starts a server if none was given, runs work against it and writes what it found.
func (f *benchFlags) run(cmd *cobra.Command, work func(ctx context.Context, server string, pid int, progress func(string, ...any)) (fmt.Stringer, error)) (err error) {
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	progress := func(format string, args ...any) { fmt.Fprintf(cmd.ErrOrStderr(), format+"\n", args...) }
	address, pid := f.server, 0
	if address != "" {
		to, err := parseInvite(address)
		if err != nil {
			return fmt.Errorf("--server %q: %w", address, err)
		}
		address = to.server
	} else {
		executable, err := os.Executable()
		if err != nil {
			return fmt.Errorf("finding this program to start a server: %w", err)
		}
		// The server ends by our word, not by the signal that ends us: its memory is read until the end.
		server, err := bench.Start(context.WithoutCancel(ctx), executable, f.serve...)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, server.Stop()) }()
		address, pid = server.Addr, server.PID()
	}
	result, err := work(ctx, address, pid, progress)
	switch {
	case errors.Is(err, bench.ErrLost):
		return failures(err)
	case err != nil:
		return err
	}
	return f.write(cmd.OutOrStdout(), result)
}

// write prints the result, as JSON where it was asked for.
func (f *benchFlags) write(stdout io.Writer, result fmt.Stringer) error {
	if f.jsonFile != "-" {
		fmt.Fprintln(stdout, result)
	}
	if f.jsonFile == "" {
		return nil
	}
	b, err := json.MarshalIndent(result, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the figures: %w", err)
	}
	b = append(b, '\n')
	if f.jsonFile == "-" {
		_, err = stdout.Write(b)
	} else {
		err = os.WriteFile(f.jsonFile, b, 0o644)
	}
	if err != nil {
		return failures(fmt.Errorf("writing the figures: %w", err))
	}
	return nil
}
