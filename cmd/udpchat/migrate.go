package main

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"udpchat/cmd/internal/migrate"
	"udpchat/config"
)

// progressEvery is how often a long copy says how far it is.
const progressEvery = 5 * time.Second

func newMigrateCommand() *cobra.Command {
	var to string
	cmd := &cobra.Command{
		Use:   "migrate --to URL,…",
		Short: "Copy what a server has stored into a NATS cluster",
		Long: `Copy everything from the store in the data directory into a NATS cluster: rooms with their order and times, accounts,
files. The server must be stopped meanwhile. Nothing is taken from the data directory; start the server with --nats and the same
URLs afterwards. Messages have other numbers in the cluster, so clients load their rooms anew.

If it is broken off, do it again: it goes on where it was. It mixes nothing: a room or record that is there already, with
another content, is an error.`,
		Example: "  udpchat migrate --to nats://a:4222,nats://b:4222,nats://c:4222",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, _, err := config.Load(config.Sources{Flags: cmd.Flags(), Environment: true})
			if err != nil {
				return adviseConfig(err)
			}
			if cfg.NATS, err = config.Servers(to); err != nil || len(cfg.NATS) == 0 {
				return advise(errors.Join(errors.New("no cluster to copy to"), err), "Name its servers: --to nats://HOST:PORT,nats://HOST:PORT,…")
			}
			log, err := newLogger(cfg, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return migrateStore(cmd, cfg, log)
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "the servers of the cluster, as `URLs` with commas between them")
	config.AddSomeFlags(cmd.Flags(), "to", "data", "nats-replicas")
	return cmd
}

func migrateStore(cmd *cobra.Command, cfg config.Config, log *slog.Logger) (err error) {
	dir, err := storeDir(cfg)
	if err != nil {
		return err
	}
	if err := hasStore(dir); err != nil {
		return err
	}
	from, err := openStore(cfg, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := openCluster(cmd.Context(), cfg, log, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	out := cmd.OutOrStdout()
	said := time.Now()
	done, err := migrate.Copy(cmd.Context(), from, to, func(p migrate.Progress) {
		if time.Since(said) >= progressEvery {
			said = time.Now()
			fmt.Fprintln(out, copied(p))
		}
	})
	if err != nil {
		return advise(failures(err), "%s so far. Do the same again when the reason is gone; it goes on where it was.", copied(done))
	}
	_, err = fmt.Fprintf(out, "%s\nnow start the server with --nats and the same URLs\n", copied(done))
	return err
}

// copied says what was copied.
func copied(p migrate.Progress) string {
	return fmt.Sprintf("copied %d rooms, %d messages, %d records, %d files", p.Rooms, p.Messages, p.Records, p.Blobs)
}
