package postgres

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/fence"
	"github.com/crossfade-db/crossfade/repo"
)

// fenceCall is a use of the fence for one scope.
type fenceCall struct {
	migration int32
	scope     repo.Scope
	// lock takes the tenant's and the keys' locks: writes and locking reads.
	lock bool
	// look asks for the stale records, under the locks.
	look bool
	// joined says that the transaction is the application's.
	joined bool
	// timeouts are those of a transaction that begins with the call.
	timeouts []any
}

// statements are the fence; its answer goes to found.
func (f fenceCall) statements(found *lookup) []statement {
	d := f.scope.Decision
	call := fence.Call{
		Migration: f.migration, Tenant: f.scope.Tenant, Guarded: d.Guarded(), Epoch: d.Epoch, Policy: d.PolicyID,
		Lock: f.lock, Keys: f.scope.Keys.List(), All: f.scope.Keys.All(), Look: f.look,
		Makes: f.scope.Op.Kind == repo.KindCreate && d.Plan().WritesBoth, Joined: f.joined, Timeouts: f.timeouts,
	}
	texts := call.Statements()
	sent := make([]statement, len(texts))
	for i, text := range texts {
		sent[i] = statement{part: partFence, sql: text.SQL, args: text.Args}
	}
	if sent[len(sent)-1].take = found.takeCaptured; f.look {
		sent[len(sent)-1].take = found.takeAll
	}
	return sent
}

// lookStatement looks up the stale records without any lock, for reads.
func lookStatement(migration int32, scope repo.Scope, found *lookup) statement {
	keys := scope.Keys.List()
	if keys == nil {
		keys = []string{}
	}
	return statement{
		sql: "select crossfade.stale_records($1, $2, $3, $4)", args: []any{migration, scope.Tenant, keys, scope.Keys.All()},
		part: partFence, take: found.take,
	}
}

// clearsStatement looks at the count of deleted stale records.
func clearsStatement(clears *int64) statement {
	return statement{
		sql: "select last_value from crossfade.stale_clears", part: partFence,
		take: func(results pgx.BatchResults) error { return results.QueryRow().Scan(clears) },
	}
}

// lookup is what the ledger says about the keys of a scope.
type lookup struct {
	stale      []repo.StaleKey
	incomplete bool  // the old side does not hold every key
	captured   bool  // triggers look for the mark that the fence set
	clears     int64 // deletions of stale records so far, of everybody
}

// same reports whether the ledger said the same twice.
func (l *lookup) same(again *lookup) bool {
	return l.clears == again.clears && l.incomplete == again.incomplete && slices.Equal(l.stale, again.stale)
}

// take reads stale records alone.
func (l *lookup) take(results pgx.BatchResults) error {
	var lines []string
	if err := results.QueryRow().Scan(&lines); err != nil {
		return err
	}
	return l.read(lines)
}

// takeCaptured reads the answer of a fence that did not look for stale records.
func (l *lookup) takeCaptured(results pgx.BatchResults) error {
	return results.QueryRow().Scan(&l.captured)
}

// takeAll reads the answer of a fence that did.
func (l *lookup) takeAll(results pgx.BatchResults) error {
	var lines []string
	if err := results.QueryRow().Scan(&l.captured, &lines); err != nil {
		return err
	}
	return l.read(lines)
}

// read reads the lines that crossfade.stale_records makes.
func (l *lookup) read(lines []string) error {
	for _, line := range lines {
		if line == "incomplete" {
			l.incomplete = true
			continue
		}
		id, rest, _ := strings.Cut(line, " ")
		side, key, ok := strings.Cut(rest, " ")
		n, err := strconv.ParseInt(id, 10, 64)
		on, serr := flags.ParseSide(side)
		if !ok || err != nil || serr != nil {
			return fmt.Errorf("read the stale records: the ledger is of another version")
		}
		l.stale = append(l.stale, repo.StaleKey{ID: n, Key: key, Side: on})
	}
	return nil
}
