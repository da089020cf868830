package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/ledger"
)

// empty returns a world on a database without a ledger.
func empty(t *testing.T) *world {
	t.Helper()
	w := onDatabase(t, pgtest.New(t))
	w.exec(`drop schema crossfade cascade`)
	return w
}

var register = []string{"init", "--entity", "customers", "--from", "v1", "--to", "v2"}

func TestInitTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	w := empty(t)
	golden(t, "init-dry.txt", w.ok(append(register, "--dry-run")...).out)
	w.run("status").is(exitLedger)
	golden(t, "init.txt", w.ok(register...).out)
	w.ok("step", name, "dual")
	history, err := w.store.History(t.Context(), name, ledger.HistoryFilter{})
	require.NoError(t, err)
	golden(t, "init-again.txt", w.ok(register...).out)
	golden(t, "init-again.json", w.ok(append(register, "--json")...).out)
	w.ok(append(register, "--dry-run")...).says("registered before, epoch 2, default dual")
	again, err := w.store.History(t.Context(), name, ledger.HistoryFilter{})
	require.NoError(t, err)
	assert.Equal(t, history, again)
	assert.Equal(t, flags.Dual, w.policy().Default)
}

func TestInitOnTheLedgerAlone(t *testing.T) {
	t.Parallel()
	w := empty(t)
	golden(t, "init-dry.json", w.ok("init", "--no-files", "--dry-run", "--json").out)
	w.ok("init", "--no-files").says("ledger: created in database", "register a migration")
	w.ok("init", "--no-files").says("ledger: up to date")
	w.ok(append(register, "--dry-run")...).says("customers-v2: would be registered")
	w.ok("status").says("No migration is registered yet")
	w.ok(append(register, "--salt", "wave-1")...).says("customers-v2: registered")
	w.run(register...).is(exitInput).blames(`salt is "wave-1" in the ledger and "customers-v2" here`)
	w.run(append(register, "--dry-run")...).is(exitInput).blames("another definition")
}

func TestVersionIsPrinted(t *testing.T) {
	t.Parallel()
	w := &world{t: t}
	w.ok("version").says("crossfade devel (go1.")
	w.ok("version", "--json").says(`"version": "devel"`)
}
