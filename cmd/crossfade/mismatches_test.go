package main

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// mismatch records a difference, some times.
func (w *world) mismatch(operation, tenant, key, field string, times int) {
	w.t.Helper()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i := range times {
		require.NoError(w.t, w.store.Sink().Record(context.Background(), []compare.Record{{
			Migration: name, Tenant: tenant, Operation: operation, Key: key, Field: field, Kind: compare.KindValue, Stage: "shadow", Epoch: 3,
			Served: "string(12)#5d0f31c2a9be", Other: "string(9)#77ab01c2a9ff", RequestID: "req-1", At: at.Add(time.Duration(i) * time.Second),
		}}))
	}
}

func (w *world) mismatched() {
	w.t.Helper()
	w.mismatch("Customers.Get", "acme", "k1", "FullName", 3)
	w.mismatch("Customers.Get", "acme", "k2", "FullName", 1)
	w.mismatch("Customers.Get", "initech", "k3", "Addresses[2].Street", 1)
	w.mismatch("Customers.List", "acme", "k1", "FullName", 2)
	w.mismatch("verify", "acme", "k1", "", 1)
}

func TestMismatchesAsATree(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ok("mismatches", name).says("customers-v2: no open mismatches")
	w.mismatched()
	golden(t, "mismatches.txt", w.ok("mismatches", name).out)
	golden(t, "mismatches.json", w.ok("mismatches", name, "--operation", "Customers.Get", "--field", "FullName", "--json").out)
	w.ok("mismatches", name, "--limit", "2").says("5 open mismatches, seen 8 times", "Customers.Get  5 of 8", "3 more: --limit shows them")
	w.ok("mismatches", name, "--field", "Addresses[*].Street").says("1 open mismatch", "Addresses[2].Street")
	w.ok("mismatches", name, "--field", "Addresses[2].Street", "--tenant", "initech").says("1 open mismatch")
}

func TestMismatchesOfNamesThatNobodyHas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mismatched()
	w.run("mismatches", name, "--field", "FulName").is(exitInput).
		blames(`no mismatch, open or resolved, has the field "FulName": there are Addresses[*].Street, FullName`)
	w.run("mismatches", name, "--tenant", "acmee").is(exitInput).blames(`has the tenant "acmee": there are acme, initech`)
	w.run("mismatches", name, "--operation", "Get").is(exitInput).blames(`has the operation "Get": there are Customers.Get, Customers.List, verify`)
	w.run("mismatches", name, "--field", "FulName", "--resolve-all").is(exitInput)
}

func TestMismatchesAreResolved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mismatched()
	all, err := w.store.Mismatches(t.Context(), name, ledger.MismatchFilter{})
	require.NoError(t, err)
	require.Len(t, all, 5)
	w.run("mismatches", name, "--resolve", "1,99").is(exitInput).blames("mismatch 99 is not in the ledger; nothing was changed")
	w.ok("mismatches", name).says("5 open mismatches")
	w.ok("mismatches", name, "--resolve", "1", "--reason", "mapping fixed").says("1 mismatch resolved")
	w.ok("mismatches", name, "--field", "Addresses[*].Street", "--resolve-all").says("1 mismatch resolved")
	w.ok("mismatches", name).says("3 open mismatches")
	w.ok("mismatches", name, "--all").says("5 mismatches", "resolved 2")
	w.ok("mismatches", name, "--field", "Addresses[*].Street", "--resolve-all").says("0 mismatches resolved")
	w.ok("mismatches", name, "--resolve-all", "--json").says(`"resolved": 3`)
	w.ok("mismatches", name, "--resolve-all").says("0 mismatches resolved")
	w.ok("history", name).says("resolve: 1 mismatch resolved, by ann@laptop: mapping fixed", "1 mismatch resolved of field Addresses[*].Street")
}

func TestMismatchesThatTheLedgerDidNotKeepAreCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.store = ledger.New(w.pool, &ledger.Config{MaxMismatches: 2})
	w.mismatched()
	w.ok("mismatches", name).says("more that the ledger did not keep, as it holds too many")
	w.ok("status", name).says("2 open mismatches, seen 8 times", "(counted only)")
}

func TestValuesCannotSteerTheTerminal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mismatch("Get\x1b[2J", "ac\x1bme", "k\n1", "Name\x1b]0;x\a", 1)
	w.ok("pin", name, "evil\x1b[31m", "--stage", "dual", "--reason", "be\x1bcause")
	w.exec(`insert into crossfade.stale_keys (migration_id, tenant, side, key, epoch, cause, last_error, tried_at)
		select id, 'acme', 'new', 'k', 1, 'test', e'bad\u001b[31m', now() from crossfade.migrations`)
	for _, args := range [][]string{{"status"}, {"status", name}, {"mismatches", name}, {"history", name}, {"unpin", name, "x\x1b"}, {"status", "x\x1b"}} {
		o := w.run(args...)
		assert.NotContains(t, o.out+o.err, "\x1b", args)
	}
	assert.Equal(t, flags.Dual, w.policy().Overrides["evil\x1b[31m"])
}
