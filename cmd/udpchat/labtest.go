package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"udpchat/cmd/internal/labtest"
	"udpchat/config"
)

// labtestFlags is the command line of 'udpchat labtest'.
type labtestFlags struct {
	cfg          labtest.Config
	json         string
	junit        string
	html         string
	list, dryRun bool
	class, csv   string
}

func newLabtestCommand() *cobra.Command {
	var f labtestFlags
	cmd := &cobra.Command{
		Use:   "labtest HOST:PORT",
		Short: "Grade any server of the lab chat protocol",
		Long: `Grade any server of the lab chat protocol: play the protocol's rules against it while it runs, and say for each what
was expected, what came, and what to do about it.

--profile as-graded follows the course's own tester, its grade included; as-specified follows the document. Where the
two contradict each other the rules say so. Every rule is played on connections and in rooms of its own. What may
break a server is played last, and then KILL_SERVICE: a server that passes is gone afterwards (--skip kill,graded.kill
leaves it running). '--only scenario' is what the course's tester did and nothing else.

Verdicts: pass; fail; non-strict (it works, but not as written: half the points); unsupported (it does without what it
may do without); skipped (could not be played, and why).

--class FILE grades many servers. FILE has lines of CSV: name, host, port and, if it is not --transport, transport.`,
		Example: strings.Trim(`
  udpchat labtest localhost:4000
  udpchat labtest localhost:4000 --profile as-specified --html report.html
  udpchat labtest localhost:4000 --only scenario
  udpchat labtest localhost:4000 --only leave.repeat
  udpchat labtest localhost:4000 --transport plain --dialect 2015 --json -
  udpchat labtest --list
  udpchat labtest --class servers.csv --csv scores.csv --html class.html`, "\n"),
		Args: f.args,
		RunE: f.run,
	}
	flags := cmd.Flags()
	flags.StringVar(&f.cfg.Transport, "transport", labtest.TCP, "`transport`: tcp, udp (reliable, of this program) or plain (datagrams of text)")
	flags.StringVar(&f.cfg.Profile, "profile", labtest.AsGraded, "`profile`: as-graded or as-specified")
	flags.StringVar(&f.cfg.Dialect, "dialect", labtest.Dialect2017, "`dialect` of requests: 2017 (a space behind every colon) or 2015 (none in JOIN and DISCONNECT)")
	flags.StringSliceVar(&f.cfg.Only, "only", nil, "play only these `rules`, by ID or group")
	flags.StringSliceVar(&f.cfg.Skip, "skip", nil, "do not play these `rules`, by ID or group")
	flags.Float64Var(&f.cfg.LossPercent, "loss", 20, "`per cent` of datagrams that the bad link loses in each direction, in the rules about it (udp and plain); 0 leaves them out")
	flags.DurationVar(&f.cfg.Timeout, "timeout", labtest.TimeoutDefault, "how long an answer may take")
	flags.StringVar(&f.json, "json", "", "write the report to this `file`, - for stdout")
	flags.StringVar(&f.junit, "junit", "", "write the report to this `file` as JUnit's XML, - for stdout")
	flags.StringVar(&f.html, "html", "", "write the report to this `file` as a page; with --class, a page for each server beside it")
	flags.BoolVar(&f.list, "list", false, "list the rules with their points and exit; with --profile, --transport, --only: those that would be played")
	flags.BoolVar(&f.dryRun, "dry-run", false, "print what would be sent to a server that answers, and exit; nothing is sent to HOST:PORT")
	flags.StringVar(&f.class, "class", "", "grade all servers of this `file`")
	flags.StringVar(&f.csv, "csv", "", "with --class: write the scores to this `file`, - for stdout")
	return cmd
}

// args checks that there is a server, or something that needs none.
func (f *labtestFlags) args(cmd *cobra.Command, args []string) error {
	switch {
	case f.class != "" && (len(args) > 0 || f.list || f.dryRun || f.json != "" || f.junit != ""):
		return errors.New("--class names the servers: no HOST:PORT, --list, --dry-run, --json or --junit with it")
	case f.csv != "" && f.class == "":
		return errors.New("--csv goes with --class")
	case f.list && f.dryRun:
		return errors.New("--list and --dry-run: one or the other")
	case len(args) > 1, len(args) == 0 && f.class == "" && !f.list && !f.dryRun:
		return advise(fmt.Errorf("%s wants one HOST:PORT, got %d arguments", cmd.CommandPath(), len(args)), "For example: %s localhost:4000", cmd.CommandPath())
	case toStdout(f.json)+toStdout(f.junit)+toStdout(f.html)+toStdout(f.csv) > 1:
		return errors.New("only one of the outputs can be - for stdout")
	case cmd.Flags().Changed("loss") && f.cfg.Transport == labtest.TCP && f.class == "":
		return errors.New("--loss needs --transport udp or plain: a lost segment of TCP is the kernel's business")
	}
	return nil
}

func toStdout(file string) int {
	if file == "-" {
		return 1
	}
	return 0
}

func (f *labtestFlags) run(cmd *cobra.Command, args []string) error {
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // After the first signal the next one has its usual effect.
	switch {
	case f.list:
		if !cmd.Flags().Changed("profile") && !cmd.Flags().Changed("transport") && len(f.cfg.Only)+len(f.cfg.Skip) == 0 {
			f.cfg.Profile, f.cfg.Transport = labtest.All, labtest.All
		}
		return adviseLabtest(cmd, labtest.WriteList(cmd.OutOrStdout(), f.cfg))
	case f.dryRun:
		return adviseLabtest(cmd, f.rehearse(ctx, cmd.OutOrStdout()))
	case f.class != "":
		return adviseLabtest(cmd, f.runClass(ctx, cmd))
	}
	return adviseLabtest(cmd, f.runOne(ctx, cmd, args[0]))
}

// adviseLabtest says what to do about an error.
func adviseLabtest(cmd *cobra.Command, err error) error {
	if _, ok := errors.AsType[*labtest.UnreachableError](err); ok {
		return advise(err, "Is it running, and does it listen at that address, over that --transport?")
	}
	if _, ok := errors.AsType[*labtest.UnknownRuleError](err); ok {
		return advise(err, "See '%s --list'.", cmd.CommandPath())
	}
	return err
}

// runOne grades one server.
func (f *labtestFlags) runOne(ctx context.Context, cmd *cobra.Command, server string) error {
	text := cmd.OutOrStdout()
	if toStdout(f.json)+toStdout(f.junit)+toStdout(f.html) > 0 {
		text = cmd.ErrOrStderr() // Nothing else goes to stdout then.
	}
	f.cfg.Server = server
	f.cfg.Progress = func(r labtest.Result) { labtest.WriteProgress(text, r) }
	report, err := labtest.Run(ctx, f.cfg)
	if report == nil {
		return err
	}
	report.WriteFailures(text)
	report.WriteScores(text)
	for _, output := range []struct {
		file  string
		write func(io.Writer) error
	}{{f.json, report.WriteJSON}, {f.junit, report.WriteJUnit}, {f.html, report.WriteHTML}} {
		if werr := writeTo(output.file, cmd.OutOrStdout(), output.write); werr != nil {
			return failures(werr)
		}
	}
	switch {
	case err != nil:
		return failures(fmt.Errorf("interrupted; the scores are those of %d rules", len(report.Results)))
	case report.Failed():
		return failures(errors.New("some rules failed"))
	}
	return nil
}

// writeTo writes to a file, or to stdout if that is -; an empty name is nowhere.
func writeTo(file string, stdout io.Writer, write func(io.Writer) error) error {
	switch file {
	case "":
		return nil
	case "-":
		return write(stdout)
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	return errors.Join(write(out), out.Close())
}

// rehearse plays all rules against a server of our own and prints what was sent.
func (f *labtestFlags) rehearse(ctx context.Context, stdout io.Writer) error {
	n, err := labServer(ctx, f.cfg.Profile)
	if err != nil {
		return err
	}
	defer n.close()
	f.cfg.Server, f.cfg.Hasty = n.addr, true
	report, err := labtest.Run(ctx, f.cfg)
	if report == nil {
		return err
	}
	fmt.Fprintf(stdout, "What would be sent, over %s, profile %s, dialect %s. Names and numbers differ in every run.\n",
		report.Transport, report.Profile, report.Dialect)
	report.WriteSent(stdout)
	return err
}

// A rehearsal is a server of our own that passes a profile.
type rehearsal struct {
	addr  string
	close func()
}

// labServer starts a server for a profile on a free port of this machine; KILL_SERVICE stops it.
func labServer(ctx context.Context, profile string) (rehearsal, error) {
	cfg, _, err := config.Load(config.Sources{})
	if err != nil {
		return rehearsal{}, fmt.Errorf("a server to rehearse with: %w", err)
	}
	data, err := os.MkdirTemp("", "udpchat-labtest-*")
	if err != nil {
		return rehearsal{}, fmt.Errorf("a server to rehearse with: %w", err)
	}
	cfg.Listen = []config.Listener{{Address: "127.0.0.1:0", Transport: config.Auto, Protocol: config.Auto}}
	cfg.Data, cfg.AllowKill, cfg.LabMode = data, true, "compat"
	if profile == labtest.AsSpecified {
		cfg.LabMode = "strict"
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	killed := make(chan struct{})
	n, err := build(ctx, cfg, slog.New(slog.DiscardHandler), func() { close(killed) })
	if err != nil {
		cancel()
		return rehearsal{}, errors.Join(err, os.RemoveAll(data))
	}
	done := make(chan struct{})
	// Ends with close.
	go func() {
		defer close(done)
		_ = runUntilStopped(ctx, n, nil, killed, io.Discard) // What it was good for is over then.
	}()
	return rehearsal{addr: n.addrs[0].Addr.String(), close: func() {
		cancel()
		<-done
		_ = os.RemoveAll(data) // In the directory for what is left behind.
	}}, nil
}
