package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"udpchat/client"
	"udpchat/cmd/internal/bench"
)

// durabilities are what bench store measures unless told otherwise.
var durabilities = []string{"synced", "fast", "memory"}

func newBenchStoreCommand() *cobra.Command {
	var f benchFlags
	var levels []string
	var nats string
	var clients, messages, size int
	var rate float64
	cmd := &cobra.Command{
		Use:   "store",
		Short: "How soon a message is stored, and how many are",
		Long: `Start a server with an empty store and have clients of the native protocol talk, each in a room of its own: at a fixed
rate (from the planned time of sending until the client knows that the message is stored), then as fast as they can, then
until --messages are stored. Then start the server again and read history.

This is done for each --durability, and for a NATS cluster if --nats names one, which must be empty.`,
		Example: strings.Trim(`
  udpchat bench store
  udpchat bench store --durability synced --messages 1000000
  udpchat bench store --nats nats://a:4222,nats://b:4222,nats://c:4222`, "\n"),
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case f.transport != client.UDP && f.transport != client.TCP:
				return fmt.Errorf("--transport %s: want udp or tcp", f.transport)
			case clients < 1 || size < 1 || size > 60_000 || rate <= 0 || messages < 0:
				return errors.New("--clients must be at least 1, --rate above 0, --messages at least 0, --bytes 1..60000")
			case f.duration <= 0:
				return errors.New("--duration must be above 0")
			}
			executable, err := os.Executable()
			if err != nil {
				return fmt.Errorf("finding this program to start a server: %w", err)
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			var all stores
			for _, args := range storeArgs(levels, nats) {
				out, err := bench.StoreConfig{
					Executable: executable, Args: args, Clients: clients, Rate: rate, Bytes: size, Messages: messages,
					Transport: f.transport, Duration: f.duration,
					Progress: func(format string, args ...any) { fmt.Fprintf(cmd.ErrOrStderr(), format+"\n", args...) },
				}.Run(ctx)
				if err != nil {
					return err
				}
				all = append(all, out)
			}
			return f.write(cmd.OutOrStdout(), all)
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&levels, "durability", durabilities, "`levels` to measure, of serve's setting of that name")
	flags.StringVar(&nats, "nats", "", "measure a NATS cluster instead: its servers, as `URL`s")
	flags.StringVar(&f.transport, "transport", client.UDP, "`transport` of the clients: udp or tcp")
	flags.StringVar(&f.jsonFile, "json", "", "write the figures to this `file`, - for stdout")
	flags.DurationVar(&f.duration, "duration", 5*time.Second, "how long each phase lasts")
	flags.IntVar(&clients, "clients", 20, "how many clients talk")
	flags.IntVar(&messages, "messages", 0, "how many `messages` are to be stored in the end")
	flags.Float64Var(&rate, "rate", 500, "`messages` per second of all clients in the first phase")
	flags.IntVar(&size, "bytes", 200, "length of a message's text in `bytes`")
	return cmd
}

// storeArgs returns what serve is told for each measurement.
func storeArgs(levels []string, nats string) (args [][]string) {
	if nats != "" {
		return [][]string{{"--nats", nats}}
	}
	for _, l := range levels {
		args = append(args, []string{"--durability", l})
	}
	return args
}

// stores are several results.
type stores []bench.Store

// String is all of them for people.
func (all stores) String() string {
	var lines []string
	for _, s := range all {
		lines = append(lines, s.String())
	}
	return strings.Join(lines, "\n")
}
