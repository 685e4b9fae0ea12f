package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"udpchat/cmd/internal/compare"
	figures "udpchat/cmd/internal/report"
)

func newBenchProxyCommand() *cobra.Command {
	var runs, messages int
	var profile, jsonFile string
	cmd := &cobra.Command{
		Use:   "proxy",
		Short: "What the proxy does to a TCP client's messages on a bad link",
		Long: `Chat of a TCP client with a server across a bad link, over the kernel's TCP and carried by 'udpchat proxy', which sits beside
the client. The link lies between two network namespaces with ordinary sockets (Linux), and every message goes its way in
real time: figures repeat only statistically.`,
		Example: `  udpchat bench proxy
  udpchat bench proxy --profile lossy-20 --runs 5 --json proxy.json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			link, err := compare.LinkNamed(profile)
			switch {
			case err != nil:
				return advise(fmt.Errorf("--profile: %w", err), "'udpchat link --list' names them.")
			case runs < 1 || runs > compareRunsMax:
				return fmt.Errorf("--runs %d: want 1 to %d", runs, compareRunsMax)
			case messages < 1 || messages > benchProxyMessagesMax:
				return fmt.Errorf("--messages %d: want 1 to %d", messages, benchProxyMessagesMax)
			}
			return benchProxy(cmd, compare.Matrix{
				Workloads: []string{"chat"}, Links: []compare.Link{link}, Transports: []string{"tcp-cubic", compare.ProxyTransport},
				Lane: compare.LaneWire, Runs: runs, Messages: messages, Seed: 1,
				Repeat: fmt.Sprintf("%s --profile %s --runs %d --messages %d", cmd.CommandPath(), profile, runs, messages),
			}, jsonFile)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&profile, "profile", "lossy-10", "`name` of the link, see 'udpchat link --list'")
	flags.IntVar(&runs, "runs", 3, "how many runs of each")
	flags.IntVar(&messages, "messages", 300, "how many messages a run has, one every 100 ms")
	flags.StringVar(&jsonFile, "json", "", "write all figures to this `file`, as 'udpchat compare --json' does")
	return cmd
}

// benchProxyMessagesMax is the longest run, of a quarter of an hour.
const benchProxyMessagesMax = 10_000

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
	progress := figures.NewProgress(cmd.ErrOrStderr(), isTerminal(cmd.ErrOrStderr()), specs, time.Now())
	results, err := compare.RunAll(ctx, lanes, specs, func(s compare.Spec, r compare.Result) { progress.Note(s, r, time.Now()) })
	progress.End(time.Now())
	if errors.Is(err, context.Canceled) {
		return errors.New("interrupted")
	}
	if err != nil {
		return err
	}
	file := compare.NewFile(m, skipped, results, false, time.Now())
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "%s\n\n", file.Header.Workloads[0].Text)
	figures.OneTable(out, file, m.Workloads[0])
	fmt.Fprintf(out, "\n%s\n", strings.Join(figures.Notes(file), "\n"))
	if err := toFile(jsonFile, out, file.Write); err != nil {
		return fmt.Errorf("--json: %w", err)
	}
	if file.Broken() {
		return failures(errors.New("the calibration failed: do not trust these figures"))
	}
	return nil
}
