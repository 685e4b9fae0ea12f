package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"udpchat/cmd/internal/compare"
	figures "udpchat/cmd/internal/report"
)

// compareTick is how often a terminal sees how far it is, at least.
const compareTick = time.Second

// compareFlags is the command line of 'udpchat compare'.
type compareFlags struct {
	transports, workloads, profiles []string
	lane                            string
	runs, messages                  int
	seed                            uint64
	quick                           bool
	trace                           string
	jsonFile, htmlFile, from        string
	both, up, down                  compare.Shape
}

// The default matrix: what the link loses, from nothing to a third, one by one and in bursts.
var (
	compareProfiles      = []string{"lossy-0", "lossy-1", "lossy-5", "lossy-10", "lossy-20", "lossy-30", "bursty-5", "bursty-10"}
	compareProfilesQuick = []string{"lossy-0", "lossy-1", "lossy-5", "lossy-10", "lossy-20", "bursty-10"}
	compareQuick         = []string{"plain", "kcp", "quic", "udpchat"}
)

func newCompareCommand() *cobra.Command {
	var f compareFlags
	cmd := &cobra.Command{
		Use:   "compare",
		Short: "See what TCP, UDP, KCP, QUIC and ours do on a bad link",
		Long: `Put the same messages through several transports over the same emulated link, with the same seeds, and see when each
message arrived and what it cost on the wire.

A latency counts from when the message was planned to be sent, however late the transport took it, and a message that
never arrives counts as one that takes for ever. Transports (--transport):
` + compareList(compareTransportLines()) + `
Workloads (--workload):
` + compareList(compareWorkloadLines()) + `
Links: --profile takes the names that 'udpchat link --list' explains, lossy-0 (50 ms, nothing lost), bulk-0 bulk-1 bulk-5
bulk-10 (20 Mbit/s with so much loss) and upload (1 Mbit/s up with a queue of 1 s). A link of your own
is described by --delay, --loss and so on, both directions, and by --up-… and --down-… for one of them. --trace takes what
'udpchat link --record' wrote.

Lanes (--lane): virtual time, where 100 s pass in a moment and the same seed gives the same figures (but for QUIC and kcp-fec); realtime, the same link by
the clock on the wall; wire, ordinary sockets in two network namespaces with the link as their wire (Linux; no root where user
namespaces are allowed and /dev/net/tun is open to all); auto takes the best one of each transport. The kernel's TCP needs the
wire; where there is none its figures are recorded ones and say so. Who is fair to TCP shows on a link for two:

  udpchat compare --profile shared --workload file-beside-tcp

Three experiments, with what to look at and what to expect:

Tail loss and timeouts (a minute). A message that is lost waits until its sender notices: a round trip and more, for the messages
behind it too; if nothing arrives behind it, until a timeout, which doubles each time.

  udpchat compare --transport tcp-cubic --transport kcp --transport quic \
    --transport udpchat --profile lossy-1 --profile lossy-10

Look at p50, p99 and TCP's maximum. Expect 50 to 57 ms in the middle for everybody, and at 10 % loss a p99 of about 300 ms over KCP, 450
over QUIC and a second over TCP, whose maximum is seconds; 60 over udpchat, which sends copies before it knows.

Head-of-line blocking (three minutes). A file and chat on one connection: on one stream chat waits behind the file.

  udpchat compare --workload file+chat --delay 50ms --rate 5mbit \
    --queue 200ms --transport tcp-cubic --transport kcp \
    --transport quic --transport udpchat --runs 4 --html hol.html

Look at "every message" in hol.html. Expect slopes: chat waits for a second over TCP, for several over KCP, for a quarter of one over QUIC's one
stream. Over udpchat, which gives the file a stream of its own, it stays within 30 ms of the 50.

When redundancy loses. Copies of a message die with it in a burst of losses that is longer than the time between them.

  udpchat compare --transport kcp --transport udpchat \
    --delay 50ms --loss 10% --burst 10ms
  udpchat compare --transport kcp --transport udpchat \
    --delay 50ms --loss 10% --burst 400ms

Look at p99 and bytes/byte. Expect udpchat far ahead with short bursts, at five times the bytes; with long ones no difference is shown, both take
more than a second, and the bytes are spent for nothing.`,
		Example: strings.Trim(`
  udpchat compare --quick
  udpchat compare --profile wifi-bad --profile 4g-train --html report.html
  udpchat compare --delay 50ms --loss 10% --workload burst --json figures.json
  udpchat compare --from figures.json --html report.html`, "\n"),
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.transports, "transport", nil, "`name` of a transport, repeatable; default all that run here")
	flags.StringArrayVar(&f.workloads, "workload", nil, "`name` of what is sent, repeatable; default chat")
	flags.StringArrayVar(&f.profiles, "profile", nil, "`name` of a link, repeatable; default loss from 0 to 30 %")
	flags.StringVar(&f.lane, "lane", "auto", "`where` it runs: auto, virtual, realtime or wire")
	flags.IntVar(&f.runs, "runs", 10, "how many runs of each kind")
	flags.IntVar(&f.messages, "messages", 0, "messages of a run; 0: 1,000 on virtual time, else 300")
	flags.Uint64Var(&f.seed, "seed", 1, "`number` of the first run's link; the next run has the next one")
	flags.BoolVar(&f.quick, "quick", false, "four transports over six links on virtual time: some seconds")
	flags.StringVar(&f.trace, "trace", "", "`file` that 'udpchat link --record' wrote: the link is as it was then")
	flags.StringVar(&f.jsonFile, "json", "", "write all figures to this `file`, - for stdout")
	flags.StringVar(&f.htmlFile, "html", "", "write a report to this `file`: one page that needs nothing else")
	flags.StringVar(&f.from, "from", "", "measure nothing: take the figures from this `file`, which --json wrote")
	shapeFlags(cmd, &f.both, "", "")
	shapeFlags(cmd, &f.up, "up-", ", client to server only")
	shapeFlags(cmd, &f.down, "down-", ", server to client only")
	return cmd
}

// newCompareLaneCommand is what 'compare' starts for virtual time.
func newCompareLaneCommand() *cobra.Command {
	return &cobra.Command{
		Use: compare.LaneCommand, Hidden: true, Args: noArgs,
		Run: func(cmd *cobra.Command, _ []string) { compare.ServeVirtual(cmd.InOrStdin(), cmd.OutOrStdout()) },
	}
}

// newKCPServerCommand is what 'bench idle --transport kcp' starts.
func newKCPServerCommand() *cobra.Command {
	return &cobra.Command{
		Use: compare.KCPServerCommand, Hidden: true, Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return compare.ServeKCP(cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
}

func compareList(lines [][2]string) string {
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "  %-16s %s\n", l[0], l[1])
	}
	return b.String()
}

func compareTransportLines() (lines [][2]string) {
	for _, t := range compare.Transports() {
		lines = append(lines, [2]string{t.Info().Name, t.Info().Text})
	}
	return lines
}

func compareWorkloadLines() (lines [][2]string) {
	for _, w := range compare.Workloads() {
		lines = append(lines, [2]string{w.Name, w.Text})
	}
	return lines
}

func (f *compareFlags) run(cmd *cobra.Command) error {
	if f.from != "" {
		if measuring := changedFlags(cmd); len(measuring) > 0 {
			return fmt.Errorf("--from measures nothing: %s does not go with it", measuring[0])
		}
		return f.redraw(cmd)
	}
	m, err := f.matrix(cmd)
	if err == nil {
		err = f.checkFiles()
	}
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // After the first signal the next one has its usual effect.
	lanes, recorded, notices := compareLanes(ctx, m)
	for _, n := range notices {
		fmt.Fprintln(cmd.ErrOrStderr(), n)
	}
	specs, skipped, err := m.Specs(lanes)
	if err == nil && len(specs) == 0 {
		err = errors.New("none of these transports can run this here")
		for _, s := range skipped {
			err = fmt.Errorf("%w\n%s, %s: %s", err, s.Transport, s.Workload, s.Why)
		}
	}
	var results []compare.Result
	var cut error
	if err == nil {
		progress := figures.NewProgress(cmd.ErrOrStderr(), terminalColumns(cmd.ErrOrStderr()), specs, time.Now())
		compare.Watch(lanes, func(s compare.Spec, g compare.Glimpse) { progress.Glimpse(s, g, time.Now()) })
		stopped := make(chan struct{})
		var ticking sync.WaitGroup
		// Draws until all runs have ended.
		ticking.Go(func() {
			for ticks := time.NewTicker(compareTick); ; {
				select {
				case now := <-ticks.C:
					progress.Tick(now)
				case <-stopped:
					ticks.Stop()
					return
				}
			}
		})
		results, cut = compare.RunAll(ctx, lanes, specs, func(s compare.Spec, r compare.Result) { progress.Note(s, r, time.Now()) })
		close(stopped)
		ticking.Wait()
		progress.End(time.Now())
	}
	var closing error
	for _, runner := range lanes {
		closing = errors.Join(closing, runner.Close())
	}
	if err != nil {
		return errors.Join(err, closing)
	}
	file := compare.NewFile(m, skipped, results, cut != nil, time.Now())
	file.Header.Recorded = recorded
	return errors.Join(f.write(cmd.OutOrStdout(), file), failures(closing)) // What was measured is not lost by that.
}

// compareLanes returns runners for the lanes that are wanted and work here, where recorded figures come from if there are
// some, and which lanes do not work.
func compareLanes(ctx context.Context, m compare.Matrix) (lanes map[compare.Lane]compare.Runner, recorded string, notices []string) {
	lanes = map[compare.Lane]compare.Runner{}
	if m.Lane != compare.LaneRealTime {
		lanes[compare.LaneVirtual] = compare.NewVirtualRunner()
	}
	lanes[compare.LaneRealTime] = compare.NewRealTimeRunner()
	if !m.WantsWire() {
		return lanes, "", nil
	}
	wire, err := compare.NewWireRunner(ctx)
	if err == nil {
		lanes[compare.LaneWire] = wire
		return lanes, "", nil
	}
	notices = append(notices, fmt.Sprintf("no wire lane here, figures of the kernel's TCP are recorded ones: %v", err))
	old, err := compare.NewRecordedRunner()
	if err != nil {
		return lanes, "", append(notices, err.Error())
	}
	lanes[compare.LaneRecorded] = old
	return lanes, old.String(), notices
}

// redraw makes the report of figures that were measured before.
func (f *compareFlags) redraw(cmd *cobra.Command) error {
	in, err := os.Open(f.from)
	if err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	defer in.Close() // It was only read.
	file, err := compare.ReadFile(in)
	if err != nil {
		return advise(fmt.Errorf("--from %s: %w", f.from, err), "It wants what 'udpchat compare --json FILE' wrote.")
	}
	return f.write(cmd.OutOrStdout(), file)
}

// write writes whatever was asked for. What could not be measured whole, and links or clocks that are off, are failures.
func (f *compareFlags) write(stdout io.Writer, file *compare.File) error {
	if f.jsonFile != "-" {
		figures.Table(stdout, file)
	}
	if err := toFile(f.jsonFile, stdout, file.Write); err != nil {
		return failures(fmt.Errorf("--json: %w", err))
	}
	if err := toFile(f.htmlFile, stdout, func(w io.Writer) error { return figures.HTML(w, file) }); err != nil {
		return failures(fmt.Errorf("--html: %w", err))
	}
	failed := 0
	for i := range file.Runs {
		if file.Runs[i].Error != "" {
			failed++
		}
	}
	switch {
	case file.Header.Interrupted:
		return failures(errors.New("interrupted: only what had ended is in the figures"))
	case file.Broken():
		return failures(errors.New("the calibration failed: do not trust these figures"))
	case failed > 0:
		return failures(fmt.Errorf("%d of %d runs are not whole", failed, len(file.Runs)))
	}
	return nil
}

// checkFiles notices a file that cannot be written before the measurement, not after it. It leaves no trace.
func (f *compareFlags) checkFiles() error {
	if f.jsonFile != "" && f.jsonFile == f.htmlFile {
		return fmt.Errorf("--json and --html both want to write to %s", f.jsonFile)
	}
	for _, file := range []struct{ flag, name string }{{"--json", f.jsonFile}, {"--html", f.htmlFile}} {
		there, err := os.Stat(file.name)
		switch {
		case file.name == "" || file.name == "-" || err == nil && !there.Mode().IsRegular() && !there.IsDir(): // Opening a pipe would not be without a trace.
			continue
		case err == nil:
			err = openAndClose(file.name, os.O_WRONLY)
		case errors.Is(err, fs.ErrNotExist):
			err = openAndClose(file.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
			switch {
			case err == nil:
				err = os.Remove(file.name)
			case errors.Is(err, fs.ErrExist): // A link to a file that is to come.
				err = nil
			}
		}
		if err != nil {
			return fmt.Errorf("%s: %w", file.flag, err)
		}
	}
	return nil
}

func openAndClose(name string, how int) error {
	file, err := os.OpenFile(name, how, 0o666)
	if err != nil {
		return err
	}
	return file.Close()
}

// toFile has write fill the file, if there is a name; - is stdout.
func toFile(name string, stdout io.Writer, write func(io.Writer) error) error {
	switch name {
	case "":
		return nil
	case "-":
		return write(stdout)
	}
	out, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(out), out.Close())
}
