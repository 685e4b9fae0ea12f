package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"udpchat/cmd/internal/compare"
	figures "udpchat/cmd/internal/report"
)

func newBenchReliableCommand() *cobra.Command {
	var runs int
	var jsonFile string
	cmd := &cobra.Command{
		Use:   "reliable",
		Short: "Our transport beside KCP and QUIC, on virtual time",
		Long: `Everything our transport is judged by, beside plain KCP, kcp-go with its FEC and quic-go, on the same links with the same
seeds: chat over links that lose from 0 to 30 %, one by one and in bursts; a message over a new connection; files, and
chat beside a file. 'udpchat compare' runs any part of it with pictures.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if runs < 1 || runs > compareRunsMax {
				return fmt.Errorf("--runs %d: want 1 to %d", runs, compareRunsMax)
			}
			return benchReliable(cmd, runs, jsonFile)
		},
	}
	cmd.Flags().IntVar(&runs, "runs", 10, "how many runs of each kind; p99.9 of chat wants 10")
	cmd.Flags().StringVar(&jsonFile, "json", "", "write all figures to this `file`, as 'udpchat compare --json' does")
	return cmd
}

// benchReliableParts are the workloads, and over which links.
func benchReliableParts(seed uint64, runs int) []compare.Matrix {
	all := []string{"udpchat", "udpchat-economy", "kcp", "kcp-fec", "quic"}
	return []compare.Matrix{
		{Workloads: []string{"chat"}, Links: linksNamed(compareProfiles...), Transports: all, Runs: runs, Seed: seed},
		{Workloads: []string{"connect"}, Links: linksNamed("lossy-10", "lossy-20"), Transports: all, Runs: runs, Seed: seed},
		{Workloads: []string{"file"}, Links: linksNamed("bulk-0", "bulk-1", "bulk-5", "bulk-10"), Transports: all, Runs: max(runs/5, 1), Seed: seed},
		{Workloads: []string{"file+chat"}, Links: linksNamed("upload"), Transports: all, Runs: runs, Messages: 200, Seed: seed},
	}
}

// linksNamed returns links that are known to exist.
func linksNamed(names ...string) (links []compare.Link) {
	for _, name := range names {
		link, err := compare.LinkNamed(name)
		if err != nil {
			panic("BUG: bench: " + err.Error())
		}
		links = append(links, link)
	}
	return links
}

func benchReliable(cmd *cobra.Command, runs int, jsonFile string) (err error) {
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	lanes := map[compare.Lane]compare.Runner{compare.LaneVirtual: compare.NewVirtualRunner()}
	defer func() {
		for _, runner := range lanes {
			err = errors.Join(err, runner.Close())
		}
	}()
	var whole *compare.File
	for _, m := range benchReliableParts(1, runs) {
		m.Lane, m.Repeat = compare.LaneVirtual, strings.Join([]string{cmd.CommandPath(), "--runs", fmt.Sprint(runs)}, " ")
		specs, skipped, err := m.Specs(lanes)
		if err != nil {
			return err
		}
		progress := figures.NewProgress(cmd.ErrOrStderr(), terminalColumns(cmd.ErrOrStderr()), specs, time.Now())
		results, err := compare.RunAll(ctx, lanes, specs, func(s compare.Spec, r compare.Result) { progress.Note(s, r, time.Now()) })
		progress.End(time.Now())
		if err != nil {
			return err
		}
		file := compare.NewFile(m, skipped, results, false, time.Now())
		fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n\n", m.Workloads[0], file.Header.Workloads[0].Text)
		figures.OneTable(cmd.OutOrStdout(), file, m.Workloads[0])
		fmt.Fprintln(cmd.OutOrStdout())
		whole = whole.Merge(file)
	}
	for _, line := range figures.Notes(whole) {
		fmt.Fprintln(cmd.OutOrStdout(), line)
	}
	if err := toFile(jsonFile, cmd.OutOrStdout(), whole.Write); err != nil {
		return failures(fmt.Errorf("--json: %w", err))
	}
	if whole.Broken() {
		return failures(errors.New("the calibration failed: do not trust these figures"))
	}
	return nil
}

func newBenchPingPongCommand() *cobra.Command {
	var f benchFlags
	var rounds int
	cmd := &cobra.Command{
		Use:   "pingpong",
		Short: "Questions and answers on the loopback: ours, TCP, QUIC, KCP",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if rounds < 10 {
				return errors.New("--rounds must be at least 10")
			}
			return benchPingPong(cmd, &f, rounds)
		},
	}
	cmd.Flags().IntVar(&rounds, "rounds", 5000, "how many questions")
	cmd.Flags().StringVar(&f.jsonFile, "json", "", "write the figures to this `file`, - for stdout")
	return cmd
}

// pingPongs is the result of 'bench pingpong'.
type pingPongs []compare.PingPong

func (all pingPongs) String() string {
	var b strings.Builder
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "\tp50\tp99\tp99.9\tmax, ms\t")
	for _, p := range all {
		fmt.Fprintf(tw, "%s\t%.3f\t%.3f\t%.3f\t%.3f\t\n", p.Transport, float64(p.P50), float64(p.P99), float64(p.P999), float64(p.Max))
	}
	_ = tw.Flush() // A strings.Builder takes all.
	return strings.TrimRight(b.String(), "\n")
}

func benchPingPong(cmd *cobra.Command, f *benchFlags, rounds int) error {
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	contestants := []compare.Transport{compare.KernelTCP{}}
	for _, name := range []string{"udpchat", "quic", "kcp"} {
		t, err := compare.TransportNamed(name)
		if err != nil {
			return err
		}
		contestants = append(contestants, t)
	}
	var all pingPongs
	for _, t := range contestants {
		p, err := compare.RunPingPong(ctx, t, rounds)
		if err := errors.Join(ctx.Err(), err); err != nil {
			return err
		}
		all = append(all, p)
	}
	return f.write(cmd.OutOrStdout(), all)
}
