package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"udpchat/cmd/internal/compare"
	figures "udpchat/cmd/internal/report"
)

func newBenchProxyCommand() *cobra.Command {
	var runs, messages int
	var protocol, profile, jsonFile string
	cmd := &cobra.Command{
		Use:   "proxy",
		Short: "What the proxy does to a TCP client's messages on a bad link",
		Long: `The messages of a TCP client to a server across a bad link, over the kernel's TCP and carried by 'udpchat proxy', which sits
beside the client. The link lies between two network namespaces with ordinary sockets (Linux), and every message goes its
way in real time: figures repeat only statistically.

Protocols (--protocol):
  relay  the client speaks the relay protocol to this program's server, which forwards each SEND to a recipient beside it
  bare   bytes go to the other end of the link and no further`,
		Example: `  udpchat bench proxy
  udpchat bench proxy --profile lossy-20 --runs 10 --json proxy.json
  udpchat bench proxy --protocol bare`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			link, err := compare.LinkNamed(profile)
			workloads := map[string][]string{"relay": {"relay", "relay-sent"}, "bare": {"chat"}}[protocol]
			switch {
			case workloads == nil:
				return fmt.Errorf("--protocol %q: want relay or bare", protocol)
			case err != nil:
				return advise(fmt.Errorf("--profile: %w", err), "'udpchat link --list' names them.")
			case runs < 1 || runs > compareRunsMax:
				return fmt.Errorf("--runs %d: want 1 to %d", runs, compareRunsMax)
			case messages < 1 || messages > benchProxyMessagesMax:
				return fmt.Errorf("--messages %d: want 1 to %d", messages, benchProxyMessagesMax)
			}
			return benchProxy(cmd, compare.Matrix{
				Workloads: workloads, Links: []compare.Link{link}, Transports: []string{"tcp-cubic", compare.ProxyTransport},
				Lane: compare.LaneWire, Runs: runs, Messages: messages, Seed: 1,
				Repeat: fmt.Sprintf("%s --protocol %s --profile %s --runs %d --messages %d", cmd.CommandPath(), protocol, profile, runs, messages),
			}, jsonFile)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&protocol, "protocol", "relay", "what the client speaks: relay or bare")
	flags.StringVar(&profile, "profile", "lossy-10", "`name` of the link, see 'udpchat link --list'")
	flags.IntVar(&runs, "runs", 5, "how many runs of each")
	flags.IntVar(&messages, "messages", 200, "how many messages a run has: one every second, with bare every 100 ms")
	flags.StringVar(&jsonFile, "json", "", "write all figures to this `file`, as 'udpchat compare --json' does")
	return cmd
}

// benchProxyMessagesMax is the longest run, of nearly three hours; with bare a quarter of an hour.
const benchProxyMessagesMax = 10_000

// relayNote says what of the relay protocol's figures is the protocol's own.
const relayNote = `- The client sends nothing before the last message's SENT, as relay clients do: when that is late, the next may be late, too,
  and counts from its planned time. That is the protocol's own.
- The server keeps 50 ms between two messages to one connection. Here there is a round trip between them: unless that is
  shorter, the gap adds nothing.
`

func benchProxy(cmd *cobra.Command, m compare.Matrix, jsonFile string) (err error) {
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	wire, err := compare.NewWireRunner(ctx)
	if err != nil {
		return advise(fmt.Errorf("no link between namespaces here: %w", err), "It takes Linux, user namespaces and /dev/net/tun.")
	}
	lanes := map[compare.Lane]compare.Runner{compare.LaneWire: wire}
	defer func() { err = errors.Join(err, wire.Close()) }()
	specs, skipped, err := m.Specs(lanes)
	if err != nil {
		return err
	}
	progress := figures.NewProgress(cmd.ErrOrStderr(), terminalColumns(cmd.ErrOrStderr()), specs, time.Now())
	compare.Watch(lanes, func(s compare.Spec, g compare.Glimpse) { progress.Glimpse(s, g, time.Now()) })
	results, err := compare.RunAll(ctx, lanes, specs, func(s compare.Spec, r compare.Result) { progress.Note(s, r, time.Now()) })
	progress.End(time.Now())
	if err != nil {
		return err
	}
	file := compare.NewFile(m, skipped, results, false, time.Now())
	out := cmd.OutOrStdout()
	for _, w := range file.Header.Workloads {
		fmt.Fprintf(out, "%s\n\n", w.Text)
		figures.OneTable(out, file, w.Name)
		fmt.Fprintln(out)
	}
	if slices.Contains(m.Workloads, "relay") {
		fmt.Fprint(out, relayNote)
	}
	fmt.Fprintln(out, strings.Join(figures.Notes(file), "\n"))
	if err := toFile(jsonFile, out, file.Write); err != nil {
		return failures(fmt.Errorf("--json: %w", err))
	}
	if file.Broken() {
		return failures(errors.New("the calibration failed: do not trust these figures"))
	}
	return nil
}
