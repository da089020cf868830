package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/gen"
	"github.com/crossfade-db/crossfade/gen/config"
	"github.com/crossfade-db/crossfade/ledger"
)

// usageError says that the command line cannot be used.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// noReturnError says that a step into new needs --yes.
type noReturnError struct{ migration string }

func (e *noReturnError) Error() string {
	return fmt.Sprintf("%s: %s. Nothing was changed: add --yes to take the step", e.migration, noReturn(e.migration))
}

// noReturn says what cannot be undone.
func noReturn(migration string) string {
	return "new is the point of no return: from there on the old side is no longer written, so that stepping down" +
		" is no longer instant: back to rampdown, a reverse backfill (`crossfade backfill " + migration + "`), and only then below live"
}

// differsError says that what was checked is not as it should be.
type differsError struct{ text string }

func (e *differsError) Error() string { return e.text }

// waitingError says that the command stopped waiting for something that goes on.
type waitingError struct{ text string }

func (e *waitingError) Error() string { return e.text }

// interruptedError says what an interruption left behind.
type interruptedError struct{ text string }

func (e *interruptedError) Error() string { return e.text }

// fail prints an error, if there is one, and returns the exit code.
func (a *app) fail(ctx context.Context, err error) int {
	code := codeOf(ctx, err)
	if err == nil {
		return code
	}
	if a.json {
		a.failJSON(code, err)
		return code
	}
	text := scrubbed(a.message(code, err))
	if problems := problemsIn(err); len(problems) > 0 {
		for _, p := range problems {
			fmt.Fprintln(a.err, printable(p.String())) // "file:line:column: ...", as editors read them
		}
		text = fmt.Sprintf("%s: nothing was written", plural(len(problems), "problem"))
	}
	fmt.Fprintf(a.err, "crossfade: %s\n", text)
	if code == exitInput && !a.started {
		fmt.Fprintln(a.err, "Run `crossfade help` for the commands, and any command with --help for its flags.")
	}
	return code
}

// message returns what is shown of an error.
func (a *app) message(code int, err error) string {
	if interrupted, ok := errors.AsType[*interruptedError](err); ok {
		return interrupted.text
	}
	if unsettled, ok := errors.AsType[*control.UnsettledError](err); ok {
		return unsettledText(unsettled)
	}
	if code == exitInterrupted {
		return "interrupted"
	}
	if refused, ok := errors.AsType[*control.StepError](err); ok {
		return refusedText(refused)
	}
	if server, ok := errors.AsType[*ledger.ServerError](err); ok && server.Problem == ledger.BadDSN {
		return ledger.BadDSN.String() // what cannot be read may hold a password anywhere
	}
	return printable(err.Error())
}

// problemsIn returns the problems with files that an error holds. Names of files
// are relative to the current folder where they lie below it.
func problemsIn(err error) []gen.Problem {
	if problems, ok := errors.AsType[*gen.ProblemsError](err); ok {
		return problems.Problems
	}
	wrong, ok := errors.AsType[*config.ProblemsError](err)
	if !ok {
		return nil
	}
	here, _ := filepath.Abs(".")
	var all []gen.Problem
	for _, p := range wrong.Problems {
		if rel, err := filepath.Rel(here, p.Pos.Filename); err == nil && filepath.IsLocal(rel) {
			p.Pos.Filename = rel
		}
		all = append(all, gen.Problem(p))
	}
	return all
}

var (
	urlPassword = regexp.MustCompile(`(://[^\s:@/]*:)\S*@`)
	keyPassword = regexp.MustCompile(`(?i)(password\s*=\s*)('(\\.|[^'])*'|\S+)`)
)

// scrubbed takes passwords out of text that repeats what the user typed, such
// as a DSN in the place of a name.
func scrubbed(text string) string {
	return keyPassword.ReplaceAllString(urlPassword.ReplaceAllString(text, "${1}xxxxx@"), "${1}xxxxx")
}

// refusedText puts each reason against a step on a line of its own.
func refusedText(e *control.StepError) string {
	lines := []string{e.Migration + ": refused, nothing was changed"}
	if len(e.Left) > 0 {
		lines[0] = fmt.Sprintf("%s: the others went on without %s (%s), left behind and pinned", e.Migration,
			plural(len(e.Left), "tenant"), printable(some(e.Left, 5)))
	}
	for _, b := range e.Blocks {
		lines = append(lines, "  "+blockText(b))
	}
	return strings.Join(lines, "\n")
}

func blockText(b control.Block) string {
	text := printable(b.Text)
	if b.From.Valid() && b.To.Valid() {
		text = fmt.Sprintf("%s -> %s: %s", b.From, b.To, text)
	}
	return text
}

// unsettledText says what is in force and who is waited for.
func unsettledText(e *control.UnsettledError) string {
	lines := []string{e.Migration + ": the new policy is in force, but not settled: stopped waiting"}
	if server, ok := errors.AsType[*ledger.ServerError](e.Err); ok && server.Problem != ledger.TimedOut {
		lines[0] += ": " + server.Problem.String()
	}
	for _, epoch := range e.Epochs {
		lines = append(lines, fmt.Sprintf("  somebody may still act on epoch %d", epoch))
	}
	for _, p := range e.Processes {
		lines = append(lines, "  waiting for "+printable(actingText(p)))
	}
	lines = append(lines, "  the next step goes on waiting; `crossfade status "+e.Migration+"` shows who is waited for")
	return strings.Join(lines, "\n")
}

func actingText(p ledger.Process) string {
	return fmt.Sprintf("%s, which acts on epoch %d", p, p.Epoch)
}

type problemJSON struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Where  string `json:"where,omitempty"`
	Text   string `json:"text"`
}

func toProblems(err error) (all []problemJSON) {
	for _, p := range problemsIn(err) {
		all = append(all, problemJSON{p.Pos.Filename, p.Pos.Line, p.Pos.Column, p.Where, p.Text})
	}
	return all
}

// failJSON prints an error as one line of JSON.
func (a *app) failJSON(code int, err error) {
	body := struct {
		Code      int           `json:"code"`
		Kind      string        `json:"kind"`
		Message   string        `json:"message"`
		Blocks    []blockJSON   `json:"blocks,omitempty"`
		Left      []string      `json:"left,omitempty"`
		Conflict  *conflictJSON `json:"conflict,omitempty"`
		Epochs    []int64       `json:"epochs,omitempty"`
		Processes []processJSON `json:"processes,omitempty"`
		Problems  []problemJSON `json:"problems,omitempty"`
	}{Code: code, Kind: kindOf(code), Message: scrubbed(a.message(code, err))}
	if refused, ok := errors.AsType[*control.StepError](err); ok {
		body.Blocks, body.Left = toBlocks(refused.Blocks), refused.Left
	}
	if conflict, ok := errors.AsType[*ledger.ConflictError](err); ok {
		body.Conflict = toConflict(conflict)
	}
	if unsettled, ok := errors.AsType[*control.UnsettledError](err); ok {
		body.Epochs, body.Processes = unsettled.Epochs, toProcesses(unsettled.Processes, 0)
	}
	body.Problems = toProblems(err)
	writeLine(a.err, map[string]any{"error": body})
}
