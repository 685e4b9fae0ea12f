package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"udpchat/chat/store/sqlite"
	"udpchat/config"
)

func newBackupCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy what a server has stored into one file",
		Long: `Copy what a server has stored into one file, while it runs or while it does not. The copy is of one moment.

To put it back, stop the server, and make FILE the udpchat.db of an otherwise empty data directory. Clients notice that it is
an older state and load their rooms anew. The server's private key is not in it: keep a copy of server.key, too.`,
		Args: oneFile(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, _, err := config.Load(config.Sources{Flags: cmd.Flags(), Environment: true})
			if err != nil {
				return adviseConfig(err)
			}
			dir, err := storeDir(cfg)
			if err != nil {
				return err
			}
			if err := hasStore(dir); err != nil {
				return err
			}
			if err := sqlite.Backup(cmd.Context(), dir, args[0]); err != nil {
				return advise(err, "FILE must not exist yet, and its disk must have room for all that is stored.")
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "copied the store of %s to %s\n", dir, args[0])
			return err
		},
	}
	config.AddSomeFlags(cmd.Flags(), "data")
	return cmd
}
