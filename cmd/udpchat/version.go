package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"udpchat/cmd/internal/origin"
)

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version and how the binary was built",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), versionText())
			return err
		},
	}
}

// versionText is one line: version, commit, Go version and platform, as the Go tool recorded them at build time.
func versionText() string {
	version, commit, dirty := "devel", "", ""
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		version = info.Main.Version
	}
	if hash, changed := origin.Revision(); hash != "" {
		commit = " commit " + hash
		if changed {
			dirty = " with local changes"
		}
	}
	return fmt.Sprintf("udpchat %s%s%s (%s, %s/%s)", version, commit, dirty, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
