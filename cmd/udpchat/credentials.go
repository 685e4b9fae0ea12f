package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	core "udpchat/chat" // The command "chat" is named so in this package.
	"udpchat/chat/account"
	"udpchat/client/clean"
	"udpchat/config"
)

// badLinesShown is how many lines that are no credentials are shown with the reason; of the others the number is.
const badLinesShown = 20

func newCredentialsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "credentials",
		Short: "Take in or give out names and passwords of accounts",
		Long: `Take in or give out the names and passwords of a server's accounts.

A file of credentials has a name, a space and a password on each line, as the credentials.txt of the instant messaging protocol
has. Passwords are stored as hashes only, so a file that is given out has those in place of the passwords; it can be taken in
again, here or elsewhere.

A server that keeps its accounts in its data directory must be stopped meanwhile; with --nats it may run.`,
		Args: subcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newCredentialsImportCommand(), newCredentialsExportCommand())
	return cmd
}

// storeFlags are the settings by which a store is found.
var storeFlags = []string{"data", "durability", "nats", "nats-replicas"}

func newCredentialsImportCommand() *cobra.Command {
	var replace bool
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Make an account for each line of a file; - is stdin",
		Example: "  udpchat credentials import credentials.txt\n" +
			"  udpchat credentials import --replace - <credentials.txt",
		Args: oneFile(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := readCredentials(cmd, args[0])
			if err != nil {
				return advise(err, "FILE must be readable.")
			}
			return withAccounts(cmd, func(ctx context.Context, accounts *account.Service) error {
				return importCredentials(ctx, cmd.OutOrStdout(), accounts, text, replace)
			})
		},
	}
	cmd.Flags().BoolVar(&replace, "replace", false, "give accounts that are there the passwords of the file, too")
	config.AddSomeFlags(cmd.Flags(), append([]string{"replace"}, storeFlags...)...)
	return cmd
}

// credentialsBytesMax is how large a file of credentials may be: it is read before the store is opened, so that a server need
// not be stopped for a file that cannot be read.
const credentialsBytesMax = 256 << 20

func readCredentials(cmd *cobra.Command, name string) (io.Reader, error) {
	in := cmd.InOrStdin()
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close() // It was only read.
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, credentialsBytesMax+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > credentialsBytesMax:
		return nil, fmt.Errorf("%s has more than %d bytes", name, credentialsBytesMax)
	}
	return bytes.NewReader(text), nil
}

func importCredentials(ctx context.Context, w io.Writer, accounts *account.Service, text io.Reader, replace bool) error {
	done, err := accounts.ImportCredentials(ctx, text, replace)
	showBadLines(w, done.Bad)
	_, printErr := fmt.Fprintf(w, "%d accounts made, %d given another password, %d left as they were, %d lines skipped\n",
		done.Made, done.Changed, done.Same, len(done.Bad))
	switch {
	case err != nil:
		err = advise(err, "What came before is done; the same command goes on with the rest.")
	case len(done.Bad) > 0:
		err = advise(fmt.Errorf("%d lines were skipped, the first is line %d", len(done.Bad), done.Bad[0].Line),
			"The others are done. Correct these, and give the same command again: it leaves the others as they are.")
	}
	return failures(errors.Join(err, printErr))
}

// showBadLines says which lines were skipped: of the first ones also why.
func showBadLines(w io.Writer, bad []account.BadLine) {
	for i, b := range bad {
		if i < badLinesShown {
			fmt.Fprintf(w, "line %d skipped: %s\n", b.Line, clean.Line(b.Why))
			continue
		}
		before, after := " ", ""
		if i == badLinesShown {
			before = "also skipped: lines "
		}
		if i < len(bad)-1 {
			after = ","
		} else {
			after = "\n"
		}
		fmt.Fprintf(w, "%s%d%s", before, b.Line, after)
	}
}

func newCredentialsExportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "export FILE",
		Short:   "Write all names and hashed passwords to a new file; - is stdout",
		Example: "  udpchat credentials export accounts.txt",
		Args:    oneFile(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := namesStore(cmd); err != nil {
				return err
			}
			return withAccounts(cmd, func(ctx context.Context, accounts *account.Service) error {
				return exportCredentials(ctx, cmd, accounts, args[0])
			})
		},
	}
	config.AddSomeFlags(cmd.Flags(), storeFlags...)
	return cmd
}

// namesStore refuses a data directory without a store, where a new one would be made and nothing be given out of it.
func namesStore(cmd *cobra.Command) error {
	cfg, _, err := config.Load(config.Sources{Flags: cmd.Flags(), Environment: true})
	switch {
	case err != nil:
		return adviseConfig(err)
	case len(cfg.NATS) > 0 || cfg.Durability == memoryDurability:
		return nil // In no directory; withAccounts knows.
	}
	dir, err := storeDir(cfg)
	if err != nil {
		return err
	}
	return hasStore(dir)
}

// exportCredentials writes to a file that must not exist yet, and that only its owner can read.
func exportCredentials(ctx context.Context, cmd *cobra.Command, accounts *account.Service, name string) (err error) {
	out := cmd.OutOrStdout()
	if name != "-" {
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return advise(err, "FILE must not exist yet.")
		}
		n, err := accounts.ExportCredentials(ctx, f)
		if err := errors.Join(err, f.Close()); err != nil {
			return errors.Join(err, os.Remove(name)) // Who takes it for whole loses accounts.
		}
		_, err = fmt.Fprintf(out, "%d accounts written to %s\n", n, name)
		return err
	}
	_, err = accounts.ExportCredentials(ctx, out)
	return err
}

// withAccounts opens the store that the flags name and has f work with its accounts.
func withAccounts(cmd *cobra.Command, f func(context.Context, *account.Service) error) (err error) {
	cfg, _, err := config.Load(config.Sources{Flags: cmd.Flags(), Environment: true})
	if err != nil {
		return adviseConfig(err)
	}
	if cfg.Durability == memoryDurability {
		return advise(errors.New("nothing is stored with durability memory"), "Name the store of a server with --data DIR or --nats URL,….")
	}
	ctx, log := cmd.Context(), slog.New(slog.DiscardHandler)
	engine, err := openEngine(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	return workWith(ctx, cfg, engine, log, f)
}

func workWith(ctx context.Context, cfg config.Config, engine core.Engine, log *slog.Logger, f func(context.Context, *account.Service) error) error {
	accounts, err := openAccounts(ctx, cfg, engine, log)
	if err != nil {
		return err
	}
	return f(ctx, accounts)
}
