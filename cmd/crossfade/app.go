package main

import (
	"context"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
)

// run runs one command line and returns its exit code. ctx ends when the user
// interrupts. env looks up environment variables.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, env func(string) string) int {
	return newApp(stdout, stderr, env).run(ctx, args)
}

// app is one run of the command.
type app struct {
	out, err io.Writer
	env      func(string) string
	host     func() (string, error)
	now      func() time.Time
	terminal bool // out is one, whose lines can be rewritten
	poll     time.Duration
	patience time.Duration // how long nobody may take a job before that is said
	outage   time.Duration // how long a server may be away while a job is followed
	glance   time.Duration // between two looks at files that are watched

	json    bool
	dsn     string
	started bool // the command line was understood
}

func newApp(stdout, stderr io.Writer, env func(string) string) *app {
	return &app{
		out: stdout, err: stderr, env: env, host: os.Hostname, now: time.Now,
		terminal: isTerminal(stdout, env), poll: 500 * time.Millisecond, patience: 5 * time.Second, outage: 30 * time.Second, glance: 300 * time.Millisecond,
	}
}

func (a *app) run(ctx context.Context, args []string) int {
	root := a.root()
	root.SetArgs(append([]string{}, args...)) // of nil it would make the arguments of the process
	root.SetOut(a.out)
	root.SetErr(a.err)
	a.json = asksForJSON(args) // for errors in the command line itself
	err := root.ExecuteContext(ctx)
	if err != nil && !a.started {
		err = &usageError{err: err}
	}
	return a.fail(ctx, err)
}

// root builds all commands.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "crossfade",
		Short: "Move a Go application from one schema version to the next while it keeps serving",
		Long: `crossfade steps the tenants of an application up the ladder

  old  dual  shadow  live  rampdown  new

from one schema version of an entity to the next, and down again. It works on the
ledger, the control tables in the application's own PostgreSQL database, which
--database-url or CROSSFADE_DATABASE_URL names. Work that needs the application's
code, such as a backfill, is requested through the ledger and done by the worker
that the application embeds.`,
		Example: `  export CROSSFADE_DATABASE_URL=postgres://user:password@host:5432/shop
  crossfade init
  crossfade new-version customers v2
  crossfade gen ./...
  crossfade init --entity customers --from v1 --to v2
  crossfade step customers-v2 dual --percent 5
  crossfade status customers-v2 --watch`,
		SilenceErrors:    true,
		SilenceUsage:     true,
		PersistentPreRun: func(*cobra.Command, []string) { a.started = true },
	}
	root.PersistentFlags().BoolVar(&a.json, "json", false, "print JSON, errors too (see crossfade help exit-codes)")
	root.SetHelpCommandGroupID("other")
	root.SetCompletionCommandGroupID("other")
	root.AddGroup(
		&cobra.Group{ID: "setup", Title: "Set up:"},
		&cobra.Group{ID: "look", Title: "Look:"},
		&cobra.Group{ID: "change", Title: "Change who stands where:"},
		&cobra.Group{ID: "guard", Title: "Guard, and let go by itself:"},
		&cobra.Group{ID: "work", Title: "Work on the data:"},
		&cobra.Group{ID: "other", Title: "Other:"},
	)
	for group, commands := range map[string][]*cobra.Command{
		"setup":  {a.initCommand(), a.newVersionCommand(), a.genCommand()},
		"look":   {a.statusCommand(), a.mismatchesCommand(), a.historyCommand()},
		"change": {a.stepCommand(), a.downCommand(), a.pinCommand(), a.unpinCommand()},
		"guard": {
			a.guardrailCommand(), a.rampCommand(), a.controllerCommand(), a.freezeCommand(), a.unfreezeCommand(), a.protectCommand(), a.approveCommand(),
		},
		"work":  append(a.jobCommands(), a.captureCommand()),
		"other": {a.versionCommand()},
	} {
		for _, cmd := range commands {
			cmd.GroupID = group
			root.AddCommand(cmd)
		}
	}
	root.AddCommand(exitCodesTopic())
	return root
}

// asksForJSON looks for --json in a command line that may be wrong elsewhere.
func asksForJSON(args []string) bool {
	for _, arg := range args {
		switch arg {
		case "--json", "--json=true":
			return true
		case "--":
			return false
		}
	}
	return false
}

// isTerminal reports whether lines written to w can be rewritten.
func isTerminal(w io.Writer, env func(string) string) bool {
	file, ok := w.(*os.File)
	if !ok || env("TERM") == "" || env("TERM") == "dumb" {
		return false
	}
	info, err := file.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}
