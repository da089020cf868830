package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/versions"
)

// busy makes a world in which everything that status shows is there.
func busy(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.climb(flags.Dual)
	w.process(7, 2)
	w.exec(`insert into crossfade.tenant_states (migration_id, tenant) select id, unnest(array['acme', 'globex', 'initech']) from crossfade.migrations`)
	w.backfilled()
	w.exec(`update crossfade.tenant_states set verified_at = null where tenant = 'globex'`)
	w.ok("step", name, "dual", "--percent", "0")
	w.ok("pin", name, "acme", "--stage", "shadow", "--no-wait")
	w.process(8, 3)
	w.exec(`insert into crossfade.stale_keys (migration_id, tenant, side, key, epoch, cause, last_error, tried_at)
		select m.id, t, 'new', 'k' || n, 2, 'test', case when n < 3 then 'SQLSTATE 23505, constraint customers_email' else '' end, now()
		from crossfade.migrations m, unnest(array['acme', 'globex']) t, generate_series(1, 3) n`)
	w.exec(`update crossfade.stale_keys set recorded_at = now() - interval '70 seconds'`)
	w.mismatched()
	w.ok("verify", name, "--detach")
	w.takes().finishes("")
	w.ok("backfill", name, "--detach")
	k := w.takes()
	k.reports(ledger.Checkpoint{Tenant: "acme", KeysAll: 600, KeysDone: 500, KeysChanged: 400}, 2, "")
	w.exec(`update crossfade.jobs set started_at = heartbeat_at - interval '10 seconds' where state = 'running'`)
	return w
}

func TestStatusShowsEverything(t *testing.T) {
	t.Parallel()
	w := busy(t)
	golden(t, "status.txt", w.ok("status", name).out)
	golden(t, "status.json", w.ok("status", name, "--json").out)
	assert.Equal(t, w.ok("status").out[:20], w.ok("status", name).out[:20], "the only one is shown in full")
	_, err := w.store.Register(t.Context(), versions.Migration{Name: "customers-v3", Entity: "customers", From: "v2", To: "v3"}, "")
	require.NoError(t, err)
	golden(t, "statuses.txt", w.ok("status").out)
}

func TestStatusOfAPercentageStep(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ok("step", name, "dual", "--percent", "12.5")
	golden(t, "percentage.txt", w.ok("status", name).out)
	w.ok("step", name, "dual")
	w.ok("step", name, "old", "--percent", "0.01").says("0.01% at old")
	w.ok("status", name).says("everybody to old: nothing speaks against it: crossfade step customers-v2 old",
		"the 0.01% back to dual: nothing speaks against it: crossfade step customers-v2 old --percent 0")
}

func TestStatusShowsThePointOfNoReturn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.RampDown)
	w.ok("status", name).says("everybody to new: nothing speaks against it: crossfade step customers-v2 new --yes", "! new is the point of no return")
	w.ok("step", name, "new", "--yes")
	o := w.ok("status", name).says("Next down   everybody to rampdown", "! the old side missed writes at new", "`crossfade backfill customers-v2`")
	assert.NotContains(t, o.out, "Next up")
	assert.NotContains(t, o.out, "point of no return")
}

func TestStatusTellsWaitingFromRefusal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.Dual)
	w.backfilled()
	w.process(7, 2)
	w.ok("step", name, "shadow", "--no-wait")
	w.ok("status", name).says("Next up     everybody to live: not yet", "wait for the step before", "Next down   everybody to dual: nothing speaks against it",
		"epoch 2 is not yet drained of its transactions nor given up by every process")
	w.process(7, 3)
	w.ok("status", name).says("epoch 2 is not yet drained of its transactions nor written down as acknowledged, which the next step does")
	w.ok("step", name, "live", "--no-wait")
	w.process(7, 4)
	w.ok("step", name, "live", "--walk")
	w.exec(`update crossfade.tenant_states set old_complete = false`)
	w.ok("status", name).says("Next down   everybody to shadow: refused")
}

// The command that status offers does what status says.
func TestStatusOffersCommandsThatWork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, setup := range [][]string{
		nil,
		{"step", name, "dual", "--percent", "30"},
		{"step", name, "dual"},
		{"step", name, "old", "--percent", "30"},
		{"step", name, "old", "--percent", "0"},
		{"step", name, "shadow"},
		{"step", name, "dual", "--percent", "30"},
		{"step", name, "shadow"},
		{"step", name, "live", "--walk"},
		{"step", name, "rampdown"},
		{"step", name, "new", "--percent", "30", "--yes"},
		{"step", name, "new", "--yes"},
	} {
		if setup != nil {
			w.backfilled()
			w.ok(setup...)
		}
		var doc struct{ Migrations []report }
		require.NoError(t, json.Unmarshal([]byte(w.ok("status", name, "--json").out), &doc))
		for _, n := range []*nextStep{doc.Migrations[0].Up, doc.Migrations[0].Down} {
			if n == nil {
				continue
			}
			args := strings.Fields(strings.TrimPrefix(n.Command, "crossfade "))
			o := w.run(append(args, "--dry-run", "--json")...)
			if !n.Allowed {
				o.is(exitRefused)
				continue
			}
			var result struct{ After policyJSON }
			require.NoError(t, json.Unmarshal([]byte(o.is(exitOK).out), &result))
			assert.Equal(t, policyJSON{Default: n.To}, result.After, n.Command)
		}
	}
}

func TestWatchLooksAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.start(nil, "status", name, "--watch", "--every", "5ms")
	s.until("epoch 1,")
	w.ok("step", name, "dual")
	s.until("epoch 2,")
	s.cancel()
	s.ends().is(exitInterrupted).blames("interrupted")

	lines := w.start(nil, "status", "--watch", "--every", "5ms", "--json")
	require.Eventually(t, func() bool { return strings.Count(lines.out.String(), "\n") > 2 }, wait, tick)
	lines.cancel()
	for line := range strings.Lines(lines.ends().out) {
		require.True(t, json.Valid([]byte(line)), line)
	}

	screen := w.start(func(a *app) { a.terminal = true }, "status", name, "--watch", "--every", "5ms")
	require.Eventually(t, func() bool { return strings.Count(screen.out.String(), home) > 2 }, wait, tick)
	screen.cancel()
	screen.ends()
}

func TestStatusSaysHowManyReadsWereComparedOfThoseMeantToBe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.Shadow)
	assert.NotContains(t, w.ok("status", name).out, "Comparisons", "none was meant")
	member, err := control.Join(t.Context(), w.store, &control.MemberConfig{Name: "shop", Migrations: []string{name}})
	require.NoError(t, err)
	defer func() { require.NoError(t, member.Close(t.Context())) }()
	for outcome, n := range map[repo.Outcome]int{
		repo.OutcomeMatched: 9, repo.OutcomeMismatched: 1, repo.OutcomeInconclusive: 2, repo.OutcomeDropped: 1_988,
	} {
		for range n {
			member.Compared(name, "acme", outcome)
		}
	}
	require.NoError(t, member.Flush(t.Context()))
	w.ok("status", name).says("Comparisons 10 of 2,000 meant were compared in the last hour, 0.5%; 1 differ; 2 inconclusive; 1,988 shed")
	var got struct {
		Migrations []struct {
			Comparisons struct{ Meant, Dropped int64 }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(w.ok("status", name, "--json").out), &got))
	assert.EqualValues(t, 2_000, got.Migrations[0].Comparisons.Meant)
	assert.EqualValues(t, 1_988, got.Migrations[0].Comparisons.Dropped)
}
