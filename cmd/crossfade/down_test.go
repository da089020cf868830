package main

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
)

func TestDownTakesEverybodyAlong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.Live)
	w.ok("pin", name, "acme", "--stage", "live", "--new-tenant")
	w.ok("status", name).says("clean: no key at live is or can become stale")
	w.ok("down", name, "--reason", "wrong totals").says(
		"default live -> default shadow", "default shadow -> default dual", "default dual -> default old", "arrived at old after 6 steps",
		"settled after",
	)
	assert.Equal(t, flags.Old, w.policy().Default)
	assert.Equal(t, map[string]flags.Stage{"acme": flags.Old}, w.policy().Overrides)
	w.ok("history", name).says("wrong totals")
	w.ok("down", name).says("arrived at old after 0 steps")
	w.run("down", name, "--to", "nowhere").is(exitInput)
	w.run("down", name, "--to", "shadow").is(exitInput).blames("some of them stand below shadow")
}

func TestDownFromNewOffersTheReverseBackfill(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.New)
	w.run("down", name).is(exitRefused).blames("missed writes at new", "2 steps of the walk stay done", "`crossfade down customers-v2 --backfill` requests the reverse backfill")
	assert.Equal(t, flags.Live, w.policy().Default)

	finished := make(chan struct{})
	ctx := context.WithoutCancel(t.Context())
	go func() { // the application's worker
		defer close(finished)
		assert.Eventually(t, func() bool {
			tag, err := w.pool.Exec(ctx, `update crossfade.jobs set state = 'running' where kind = 'backfill' and state = 'requested'`)
			return err == nil && tag.RowsAffected() == 1
		}, time.Minute, time.Millisecond)
		_, err := w.pool.Exec(ctx, `update crossfade.tenant_states set old_complete = true`)
		assert.NoError(t, err)
	}()
	w.ok("down", name, "--backfill", "--reason", "back").says("arrived at old after 3 steps")
	<-finished
	w.ok("history", name).says("job 1 requested")
}

func TestForceNeedsAReasonAndSetsNoRuleOfTheLadderAside(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run("step", name, "dual", "--force").is(exitInput).blames("--force needs a --reason")
	w.run("step", name, "live", "--force", "--reason", "hurry").is(exitRefused).blames("go to dual first")
	w.ok("step", name, "dual", "--force", "--reason", "hurry")
	w.run("step", name, "shadow", "--force", "--reason", "hurry").is(exitRefused).blames("the backfill of")
	require.Equal(t, flags.Dual, w.policy().Default)
}

func TestDownDryRunShowsTheWayAndChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.Live)
	w.ok("pin", name, "acme", "--stage", "shadow", "--new-tenant")
	epoch := w.policy().Epoch
	w.ok("down", name, "--dry-run").says(
		"nothing was changed", "everybody who is not pinned: live -> shadow -> dual -> old",
		`tenant "acme": shadow (pinned) -> dual (pinned) -> old (pinned)`,
	)
	stale := func(tenant, why string) {
		_, err := w.pool.Exec(t.Context(), `insert into crossfade.stale_keys (migration_id, tenant, side, key, epoch, cause, last_error)
			select id, $1, 'old', '1', 1, 'test', $2 from crossfade.migrations`, tenant, why)
		require.NoError(t, err)
	}
	stale("slow", "")
	w.ok("down", name, "--dry-run").says("the first step waits: live -> shadow: 1 keys of tenant \"slow\" are stale on the old side")
	_, err := w.pool.Exec(t.Context(), `delete from crossfade.stale_keys`)
	require.NoError(t, err)
	stale("bad", "SQLSTATE 23505")
	w.ok("down", name, "--dry-run").says("against the first step: live -> shadow: 1 keys of tenant \"bad\"", `tenant "bad" would be left behind`,
		"everybody who is not pinned: live -> shadow -> dual -> old")
	var way struct {
		Event  string
		DryRun bool `json:"dry_run"`
		Legs   []struct {
			Tenant string
			Rungs  []string
		}
		Blocks []struct{ Kind string }
		Left   []string
	}
	require.NoError(t, json.Unmarshal([]byte(w.ok("down", name, "--dry-run", "--json").out), &way))
	assert.Equal(t, "way", way.Event)
	assert.True(t, way.DryRun)
	assert.Len(t, way.Legs, 2)
	assert.Equal(t, []string{"live", "shadow", "dual", "old"}, way.Legs[0].Rungs)
	require.Len(t, way.Blocks, 1)
	assert.Equal(t, "stale-old", way.Blocks[0].Kind)
	assert.Equal(t, []string{"bad"}, way.Left)
	assert.Equal(t, epoch, w.policy().Epoch, "nothing was changed")

	w.run("down", name).is(exitRefused).blames("the others went on without 1 tenant (bad), left behind and pinned", "stale on the old side")
	assert.Equal(t, flags.Old, w.policy().Default)
	assert.Equal(t, map[string]flags.Stage{"acme": flags.Old, "bad": flags.Live}, w.policy().Overrides)
	w.ok("exit-codes").says("down")
}
