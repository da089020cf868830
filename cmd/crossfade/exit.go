package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/gen/scaffold"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/versions"
)

// Exit codes.
const (
	exitOK          = 0
	exitFailure     = 1
	exitInput       = 2
	exitRefused     = 3
	exitConflict    = 4
	exitLedger      = 5
	exitServer      = 6
	exitDiffers     = 7
	exitUnsettled   = 8
	exitInterrupted = 130
)

// exitCodes documents the codes, and names them in JSON.
var exitCodes = []struct {
	code int
	kind string
	text string
}{
	{exitOK, "ok", "The command did what it was asked to do."},
	{exitFailure, "failure", "Something else went wrong: a job failed, an interface cannot be generated for."},
	{exitInput, "bad-input", "The command line cannot be used: an unknown flag, stage, migration, tenant, field or job, a percentage outside 0 to 100 or finer than 0.01, a DSN that cannot be read. Nothing was changed."},
	{exitRefused, "refused", "A rule speaks against the step, or a step into new lacks --yes. Nothing was changed."},
	{exitConflict, "conflict", "Somebody else was faster: the policy was changed, such a job or a ramp is open, or the job or the ramp has ended. Nothing was changed."},
	{exitLedger, "ledger", "The ledger is absent, or older or newer than this program. Nothing was changed."},
	{exitServer, "server", "The database cannot be used: unreachable, lost, read-only, out of connections, denied, absent or too slow."},
	{exitDiffers, "differs", "gen --check found files that are out of date, verify found keys that differ, or guardrail check found a rule violated or inconclusive."},
	{exitUnsettled, "unsettled", "The new policy is in force, or the job goes on, and the command stopped waiting before the end."},
	{exitInterrupted, "interrupted", "Ctrl-C, or SIGTERM. A policy that was put into force stays in force, and a job goes on."},
}

func exitCodesTopic() *cobra.Command {
	var text strings.Builder
	text.WriteString("Every command ends with one of these codes:\n\n")
	for _, c := range exitCodes {
		fmt.Fprintf(&text, "  %-4d%-13s%s\n", c.code, c.kind, strings.ReplaceAll(wrapped(c.text, 62), "\n", "\n"+strings.Repeat(" ", 19)))
	}
	text.WriteString(`
Results go to standard output, errors to standard error. With --json both are JSON: results
are one document, or one document per line for what goes on for a while (step, down, pin,
unpin, backfill, verify, reconcile, status --watch, gen --watch); an error is one line on
standard error:

  {"error":{"code":2,"kind":"bad-input","message":"unknown stage ..."}}

with "blocks" when the step is refused, "conflict" when somebody else was faster, and
"problems" when interfaces cannot be generated for.`)
	return &cobra.Command{
		Use:   "exit-codes",
		Short: "The exit codes, and where output goes",
		Long:  text.String(),
	}
}

// kindOf returns the name of an exit code.
func kindOf(code int) string {
	for _, c := range exitCodes {
		if c.code == code {
			return c.kind
		}
	}
	return ""
}

// codeOf returns the exit code of an error.
func codeOf(ctx context.Context, err error) int {
	switch {
	case err == nil:
		return exitOK
	case ctx.Err() != nil:
		return exitInterrupted
	case is[*control.UnsettledError](err), is[*waitingError](err):
		return exitUnsettled
	case is[*usageError](err), is[*dsnError](err):
		return exitInput
	case is[*control.StepError](err), is[*flags.PolicyError](err), is[*noReturnError](err), is[*backfill.CaptureBlockedError](err):
		return exitRefused
	case is[*ledger.ConflictError](err), is[*ledger.JobOpenError](err), is[*ledger.JobStateError](err),
		is[*ledger.RampOpenError](err), is[*ledger.RampStateError](err):
		return exitConflict
	case is[*ledger.VersionError](err):
		return exitLedger
	case is[*differsError](err):
		return exitDiffers
	case badInput(err):
		return exitInput
	}
	if server, ok := errors.AsType[*ledger.ServerError](err); ok {
		if server.Problem == ledger.BadDSN {
			return exitInput
		}
		return exitServer
	}
	return exitFailure
}

// badInput reports whether a package below could not use what was asked for.
func badInput(err error) bool {
	return is[*flags.UnknownStageError](err) || is[*flags.ShareError](err) || is[*versions.Error](err) ||
		is[*ledger.UnknownMigrationError](err) || is[*ledger.DefinitionError](err) || is[*ledger.InputError](err) ||
		is[*ledger.UnknownJobError](err) || is[*control.ChangeError](err) || is[*control.RampError](err) ||
		is[*backfill.CaptureTableError](err) || is[*ledger.NotCapturedError](err) || is[*scaffold.InputError](err)
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
