package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"udpchat/config"
)

// configFile is where 'config init' writes when it is not told.
const configFile = "udpchat.yaml"

func newConfigCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Write, check and explain the server's settings",
		Long: `Settings of 'udpchat serve' come from flags, environment variables (UDPCHAT_…), a YAML file and defaults.
A flag wins over a variable, a variable over the file, the file over the default.`,
		Args: subcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newConfigInitCommand(), newConfigCheckCommand(), newConfigShowCommand())
	return cmd
}

func newConfigInitCommand() *cobra.Command {
	force := false
	cmd := &cobra.Command{
		Use:   "init [FILE]",
		Short: "Write a file with every setting, explained, at its default",
		Long:  "Write a file with every setting, explained, at its default. FILE is " + configFile + " if not given; - is stdout.",
		Args:  oneFile(0),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := configFile
			if len(args) == 1 {
				path = args[0]
			}
			if path == "-" {
				_, err := cmd.OutOrStdout().Write(config.Template())
				return err
			}
			return writeConfig(cmd.OutOrStdout(), path, force)
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "overwrite FILE if it exists")
	return cmd
}

// oneFile allows one argument, or as few as least.
func oneFile(least int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) >= least && len(args) <= 1 {
			return nil
		}
		return advise(fmt.Errorf("%s takes one FILE, got %d arguments", cmd.CommandPath(), len(args)),
			"Use it like this: %s", cmd.UseLine())
	}
}

func writeConfig(stdout io.Writer, path string, force bool) error {
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if force {
		flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	f, err := os.OpenFile(path, flags, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return advise(fmt.Errorf("%s exists already", path), "Overwrite it with --force, or name another file.")
	}
	if err != nil {
		return advise(fmt.Errorf("writing the settings: %w", err), "Name a file that can be written; - is stdout.")
	}
	_, err = f.Write(config.Template())
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	_, err = fmt.Fprintf(stdout, "wrote %s\nedit it, then: udpchat serve --config %s\n", path, path)
	return err
}

// adviseConfig says what to do about an error of config.Load.
func adviseConfig(err error) error {
	if errors.Is(err, config.ErrUnreadable) {
		return advise(err, "'udpchat config init FILE' writes a file with every setting, explained.")
	}
	return advise(err, "'udpchat serve --help' lists the settings and what they may be.")
}

func newConfigCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Find unknown keys and bad values in a file",
		Args:  oneFile(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, _, err := config.Load(config.Sources{File: args[0]}); err != nil {
				if errors.Is(err, config.ErrUnreadable) {
					return adviseConfig(err)
				}
				return failures(err)
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s is fine\n", args[0])
			return err
		},
	}
}

func newConfigShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show [FLAGS OF serve]",
		Short: "Show each setting that 'serve' would use, and where it comes from",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, settings, err := config.Load(config.Sources{Flags: cmd.Flags(), Environment: true})
			if err != nil {
				return adviseConfig(err)
			}
			tw := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(tw, "SETTING\tVALUE\tFROM")
			for _, s := range settings {
				fmt.Fprintf(tw, "%s\t%s\t%s\n", s.Key, s.Value, s.Source)
			}
			return tw.Flush()
		},
	}
	config.AddFlags(cmd.Flags())
	return cmd
}
