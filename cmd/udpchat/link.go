package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"udpchat/cmd/internal/compare"
	"udpchat/config"
	"udpchat/reliable"
	"udpchat/reliable/netem"
)

// linkFlags is the command line of 'udpchat link'.
type linkFlags struct {
	listen, to, profile, record string
	seed                        uint64
	list                        bool
}

func newLinkCommand() *cobra.Command {
	var f linkFlags
	cmd := &cobra.Command{
		Use:   "link",
		Short: "Put a bad network between any UDP client and any server",
		Long: `Put a bad network between any UDP client and any server: datagrams sent to --listen go on to the server, and its
answers back, after the profile has lost, delayed, repeated or reordered them. Whatever they contain passes unchanged.

Each client address gets a link of its own; the same seed makes the same decisions about its first, second, third …
datagram. Ctrl-C stops the link and prints what it forwarded and what it dropped, and why.

--record writes what the link is on a first line of JSON, {"format":"udpchat-link","version":1,"profile":…,"seed":…}, and then
every decision on a line of its own, which 'udpchat compare --trace' can repeat:

  client      the client's address
  direction   "up" (from the client) or "down"
  at_ms       when the datagram came, since the client's first one
  ordinal     how many came before it in this direction; a copy has the ordinal of its original
  size_bytes  of the payload
  verdict     "kept", or why it was dropped: "mtu", "partition", "handover",
              "event" (a time of extra loss), "replay" (of a recorded network),
              "loss" (independent), "burst", "chain", "queue" (of the
              bottleneck), "full" (a limit of the program)
  deliver_ms  when it goes on, if it was kept
  changes     what else happened to it, if anything: "corrupted", "truncated", "copied", "held", "reordered"`,
		Example: strings.Trim(`
  udpchat link --listen :5000 --to localhost:4000 --profile lossy-20
  udpchat link --to localhost:4000 --profile 4g-train --record verdicts.jsonl
  udpchat link --list`, "\n"),
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.list {
				return listProfiles(cmd.OutOrStdout())
			}
			return runLink(cmd, f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", ":5000", "UDP `address` for the clients")
	flags.StringVar(&f.to, "to", "localhost:4000", "`address` of the server, or its invite")
	flags.StringVar(&f.profile, "profile", "lossy-20", "`name` of the network to be, see --list")
	flags.Uint64Var(&f.seed, "seed", 1, "`number` that decides which datagrams are lost")
	flags.StringVar(&f.record, "record", "", "write every decision to this `file`, as lines of JSON")
	flags.BoolVar(&f.list, "list", false, "list the profiles and exit")
	return cmd
}

func listProfiles(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, p := range netem.Profiles() {
		fmt.Fprintf(tw, "%s\t%s\n", p.Name, p.Text)
	}
	return tw.Flush()
}

// runLink forwards until a signal comes; a second one quits at once.
func runLink(cmd *cobra.Command, f linkFlags) error {
	profile, err := netem.ProfileNamed(f.profile)
	if err != nil {
		return advise(fmt.Errorf("--profile: %w", err), "See '%s --list' for what they do.", cmd.CommandPath())
	}
	to := invite{server: f.to}
	if strings.HasPrefix(f.to, inviteScheme+":") {
		if to, err = parseInvite(f.to); err != nil {
			return fmt.Errorf("--to %q: %w", f.to, err)
		}
	}
	logger, err := newLogger(config.Config{LogLevel: "info", LogFormat: "auto"}, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	cfg := netem.ProxyConfig{Listen: f.listen, To: to.server, Profile: profile, Seed: f.seed, Logger: logger}
	var rec *recorder
	if f.record != "" {
		if rec, err = newRecorder(f.record, compare.TraceHeader{
			Format: compare.TraceFormat, Version: compare.TraceVersion, Profile: profile.Name, Seed: f.seed,
		}); err != nil {
			return err
		}
		cfg.Record = rec.write
	}
	proxy, err := netem.NewProxy(cfg)
	if err != nil {
		return errors.Join(advise(err, "--listen wants an address of this machine that is free, --to that of a server: HOST:PORT."), rec.close())
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // After the first signal the next one has its usual effect.
	out := cmd.OutOrStdout()
	greetLink(out, os.Args[0], proxy, profile, f, to.key)
	err = proxy.Run(ctx)
	reportLink(out, proxy.Stats())
	return failures(errors.Join(err, rec.close()))
}

// greetLink says where the link listens and how to use it. The key is the server's, if it is known: the link has none.
func greetLink(w io.Writer, program string, p *netem.Proxy, profile netem.Profile, f linkFlags, key reliable.Key) {
	server := p.Addr()
	if server.Addr().IsUnspecified() {
		server = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), server.Port())
	}
	fmt.Fprintf(w, "link listening on %v, forwarding to %v\n", p.Addr(), p.Server())
	fmt.Fprintf(w, "profile %s (%s), seed %d\n", profile.Name, profile.Text, f.seed)
	if f.record != "" {
		fmt.Fprintf(w, "every decision goes to %s\n", f.record)
	}
	fmt.Fprintf(w, "\nPoint a client at it, for example:\n\n    %s chat --server %v --name bob --room lobby\n\n", program,
		invite{server.String(), key})
	fmt.Fprintf(w, "Ctrl-C stops it and prints what it dropped.\n")
}

// reportLink says what the link did.
func reportLink(w io.Writer, s netem.ProxyStats) {
	fmt.Fprintf(w, "\nclients: %d\n", s.ClientsSeen)
	fmt.Fprintln(w, linkLine("up", s.Up))
	fmt.Fprintln(w, linkLine("down", s.Down))
	for _, c := range []struct {
		count uint64
		what  string
	}{
		{s.Refused, "datagrams refused, because there were too many clients"},
		{s.Stray, "datagrams for an address a client no longer had"},
		{s.SocketErrors, "socket errors (a server that does not listen answers with one)"},
		{s.RecordsLost, "decisions not recorded, because writing was too slow"},
	} {
		if c.count > 0 {
			fmt.Fprintf(w, "%d %s\n", c.count, c.what)
		}
	}
}

// linkLine is one direction on one line. Per cent are of the datagrams that came.
func linkLine(name string, c netem.Counts) string {
	percent := func(n uint64) string {
		return fmt.Sprintf("%d (%.1f %%)", n, 100*float64(n)/float64(max(c.Pushed, 1)))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%-5s %d datagrams came, %s forwarded, %s dropped", name, c.Pushed, percent(c.Delivered), percent(c.Dropped()))
	separator := ": "
	for _, fate := range netem.Fates() {
		if n := c.DroppedFor[fate]; n > 0 {
			fmt.Fprintf(&b, "%s%v %s", separator, fate, percent(n))
			separator = ", "
		}
	}
	separator = "; "
	for _, other := range []struct {
		count uint64
		what  string
	}{
		{c.Copied, "copied"}, {c.Corrupted, "corrupted"}, {c.Truncated, "truncated"}, {c.Held, "held"},
		{c.Reordered, "reordered"}, {c.Kept - c.Delivered, "still on the way"},
	} {
		if other.count > 0 {
			fmt.Fprintf(&b, "%s%d %s", separator, other.count, other.what)
			separator = ", "
		}
	}
	return b.String()
}

// recorder writes decisions as lines of JSON. It belongs to the goroutine of Proxy.Run, and afterwards to whoever
// closes it. The nil recorder closes without an error.
type recorder struct {
	file   *os.File
	buffer *bufio.Writer
	lines  *json.Encoder
	err    error // The first one.
}

func newRecorder(path string, head compare.TraceHeader) (*recorder, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, advise(fmt.Errorf("--record: %w", err), "It wants the name of a file that can be written.")
	}
	buffer := bufio.NewWriterSize(file, 64<<10)
	r := &recorder{file: file, buffer: buffer, lines: json.NewEncoder(buffer)}
	r.err = r.lines.Encode(head)
	return r, nil
}

func (r *recorder) write(record netem.Record) {
	if r.err == nil {
		r.err = r.lines.Encode(record)
	}
}

func (r *recorder) close() error {
	if r == nil {
		return nil
	}
	if err := errors.Join(r.err, r.buffer.Flush(), r.file.Close()); err != nil {
		return fmt.Errorf("--record: %w", err)
	}
	return nil
}
