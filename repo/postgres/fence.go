package postgres

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
)

// fenceCall is the call of the ledger's fence for one scope.
type fenceCall struct {
	migration int32
	scope     repo.Scope
	// lock takes the tenant's and the keys' locks: writes and locking reads.
	lock bool
	// look asks for the stale records, under the locks.
	look bool
	// timeouts are those of a transaction that begins with the call; the lock
	// timeout bounds the call's own waiting. Empty where they are set already.
	timeouts []any
}

const (
	fenceSQL     = "select crossfade.fence($1, $2, $3, $4, $5, $6, $7, $8)"
	lockOnlySQL  = "select crossfade.fence_lock_only($1, $2, $3, $4, $5, $6)"
	fenceTimeSQL = timeoutsSQL + ", crossfade.fence($4, $5, $6, $7, $8, $9, $10, $11)"
	lockTimeSQL  = timeoutsSQL + ", crossfade.fence_lock_only($4, $5, $6, $7, $8, $9)"
)

// statement is the call; its answer, a text[], goes to found.
func (f fenceCall) statement(found *lookup) statement {
	keys, all := f.keys()
	d := f.scope.Decision
	makes := f.scope.Op.Kind == repo.KindCreate && d.Plan().WritesBoth
	call := statement{part: partFence, take: found.take}
	alone, timed := lockOnlySQL, lockTimeSQL
	if d.Guarded() {
		alone, timed = fenceSQL, fenceTimeSQL
		call.args = []any{f.migration, d.Epoch, pgtype.UUID{Bytes: d.PolicyID, Valid: true}, f.scope.Tenant, keys, all, f.look, makes}
	} else {
		call.args = []any{f.migration, f.scope.Tenant, keys, all, f.look, makes}
	}
	if call.sql = alone; f.timeouts != nil {
		call.sql, call.args = timed, append(f.timeouts, call.args...)
		call.take = func(results pgx.BatchResults) error { return found.scanLast(results.QueryRow()) }
	}
	return call
}

func (f fenceCall) keys() (keys []string, all bool) {
	if !f.lock {
		return nil, false
	}
	keys = f.scope.Keys.List()
	if keys == nil {
		keys = []string{}
	}
	return keys, f.scope.Keys.All()
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

func (l *lookup) take(results pgx.BatchResults) error { return l.scan(results.QueryRow()) }

// scan reads the lines that crossfade.stale_records makes.
func (l *lookup) scan(row pgx.Row) error {
	var lines []string
	if err := row.Scan(&lines); err != nil {
		return err
	}
	return l.read(lines)
}

// scanLast is scan for a row that begins with timeouts.
func (l *lookup) scanLast(row pgx.Row) error {
	var lines []string
	if err := row.Scan(nil, nil, nil, &lines); err != nil {
		return err
	}
	return l.read(lines)
}

func (l *lookup) read(lines []string) error {
	for _, line := range lines {
		switch line {
		case "incomplete":
			l.incomplete = true
			continue
		case "captured":
			l.captured = true
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
