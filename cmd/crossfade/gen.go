package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/crossfade-db/crossfade/gen"
)

func (a *app) genCommand() *cobra.Command {
	var config gen.Config
	var watch bool
	cmd := &cobra.Command{
		Use:   "gen [packages]",
		Short: "Generate routed repositories, comparators and versions from annotated interfaces",
		Long: `gen reads the packages, the current one if none is named, and writes the routed repository and
the comparators beside each file that declares an interface with a //crossfade:entity directive,
and, for the versions that crossfade.yaml names, the version's implementation of the interface.
It needs no database. Where something cannot be generated, every problem is printed as
file:line:column, with the smallest fix, and nothing is written.

With --check nothing is written either: the command lists the files that are out of date and
ends with exit code 7 when there are any. Methods of a mapping.go that are left to write, or to
write again, are listed as "by hand".

With --watch it runs again whenever a Go file or a YAML file of the module changes, what sqlc
generates included, and prints one line for each run. Problems do not end it; Ctrl-C does, with
exit code 0.`,
		Example: `  crossfade gen ./...
  crossfade gen --check ./...
  crossfade gen --watch ./...
  //go:generate go run github.com/crossfade-db/crossfade/cmd/crossfade gen`,
		RunE: func(cmd *cobra.Command, args []string) error {
			config.Patterns = args
			if watch && config.Check {
				return usagef("--watch writes and --check does not: choose one")
			}
			if watch {
				return a.genWatch(cmd.Context(), config)
			}
			result, err := gen.Run(cmd.Context(), config)
			if err != nil {
				return err
			}
			return a.showGen(result, config.Check)
		},
	}
	cmd.Flags().BoolVar(&config.Check, "check", false, "write nothing, and fail if a file is out of date")
	cmd.Flags().BoolVar(&watch, "watch", false, "run again whenever a file changes, until Ctrl-C")
	cmd.Flags().StringVarP(&config.Dir, "dir", "C", "", "the `folder` from which packages are named (default the current one)")
	return cmd
}

func (a *app) showGen(r gen.Result, check bool) error {
	unwritten := make([]string, len(r.Unwritten))
	for i, p := range r.Unwritten {
		unwritten[i] = p.String()
	}
	if a.json {
		if err := a.document(map[string][]string{
			"written": list(r.Written), "removed": list(r.Removed), "unchanged": list(r.Unchanged), "out_of_date": list(r.OutOfDate),
			"unwritten": unwritten,
		}); err != nil {
			return err
		}
	} else {
		for _, group := range []struct {
			verb  string
			files []string
		}{{"out of date", r.OutOfDate}, {"written", r.Written}, {"removed", r.Removed}, {"unchanged", r.Unchanged}, {"by hand", unwritten}} {
			for _, file := range group.files {
				a.printf("%-12s%s\n", group.verb, file)
			}
		}
	}
	if check && len(r.OutOfDate) > 0 {
		return &differsError{fmt.Sprintf("%s out of date: run `crossfade gen`", verbed(len(r.OutOfDate), "file"))}
	}
	return nil
}

func verbed(n int, noun string) string {
	if n == 1 {
		return plural(n, noun) + " is"
	}
	return plural(n, noun) + " are"
}

// list is never nil, so that JSON has [] and not null.
func list(texts []string) []string {
	if texts == nil {
		return []string{}
	}
	return texts
}
