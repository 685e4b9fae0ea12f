package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"udpchat/config"
)

// run is main without the process: it runs one command line and returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRootCommand()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return report(stderr, root.ExecuteContext(ctx))
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "udpchat",
		Short: "Chat that arrives, on networks that lose packets",
		Long: `udpchat is a chat server and client for networks that lose packets.

Members of one room may come over TCP, over our reliable UDP, or with plain text datagrams.`,
		Example: strings.Trim(`
  udpchat serve                         start a server on port 4000
  udpchat chat --name ann --room lobby  chat on it, over reliable UDP
  udpchat link --listen :5000 --to localhost:4000 --profile lossy-20
                                        put a bad link in front of it
  udpchat chat --name bob --room lobby --server localhost:5000
                                        and chat across that
  udpchat labtest localhost:4000        grade a server of the lab protocol`, "\n"),
		SilenceUsage:  true, // A failed connection is no reason to print a page of flags.
		SilenceErrors: true, // report prints them, once, with advice.
		Version:       versionText(),
		Args:          subcommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if bad, ok := errors.AsType[*config.Error](err); ok {
			err = bad // It says which flag and what is allowed; pflag would say the first half again.
		}
		return advise(err, "See '%s --help' for the flags it knows.", cmd.CommandPath())
	})
	root.AddCommand(
		newServeCommand(),
		newChatCommand(),
		newLinkCommand(),
		newProxyCommand(),
		newLabtestCommand(),
		newCompareCommand(),
		newCompareLaneCommand(),
		newKCPServerCommand(),
		newBenchCommand(),
		newConfigCommand(),
		newCredentialsCommand(),
		newBackupCommand(),
		newMigrateCommand(),
		newVersionCommand(),
	)
	layOut(root)
	return root
}

// subcommand refuses the argument of a command that has nothing but subcommands: none of them has that name.
func subcommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := fmt.Errorf("%s has no command %q", cmd.CommandPath(), args[0])
	if cmd.SuggestionsMinimumDistance <= 0 {
		cmd.SuggestionsMinimumDistance = 2 // Cobra's own default, which it sets later.
	}
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return advise(err, "Did you mean '%s %s'? '%[1]s --help' lists all.", cmd.CommandPath(), near[0])
	}
	return advise(err, "'%s --help' lists the commands.", cmd.CommandPath())
}

// noArgs refuses arguments and says what to do instead, in place of cobra's "unknown command".
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return advise(fmt.Errorf("%s takes no arguments, got %q", cmd.CommandPath(), strings.Join(args, " ")),
		"See '%s --help'.", cmd.CommandPath())
}
