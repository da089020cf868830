package main

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version of this program",
		Example: "  crossfade version\n  crossfade version --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			version := moduleVersion()
			if a.json {
				return a.document(map[string]string{"version": version, "go": runtime.Version()})
			}
			a.printf("crossfade %s (%s)\n", version, runtime.Version())
			return nil
		},
	}
}

// moduleVersion is what `go install module@version` stamps into the program.
func moduleVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
}
