package backfill_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

func TestBackfillMakesTheNewSideEqualToTheOldAndMarksTheTenants(t *testing.T) {
	bothWays(t, flags.Dual, func(t *testing.T, w *world, e backfill.Entity) {
		w.tenants = []string{acme, "beta", "empty"}
		w.fill(acme, 95)
		w.fill("beta", 7)
		w.exec("insert into notes_v2 (tenant, id, title, rest) values ('acme', 3, 'stale', ''), ('acme', 1000, 'orphan', ''), ('empty', 1, 'orphan', '')")

		job := w.do(w.workerOf(e), ledger.JobBackfill)
		assert.Equal(t, ledger.JobDone, job.State, job.Error)
		w.equal()
		assert.EqualValues(t, 3, job.TenantsDone)
		assert.EqualValues(t, 104, job.KeysDone, "102 keys and 2 orphans")
		assert.EqualValues(t, 104, job.KeysChanged)
		for _, tenant := range append(w.tenants, "born later") {
			assert.Equal(t, "backfilled true, verified false, old complete true", w.state(tenant), tenant)
		}

		job = w.do(w.workerOf(e), ledger.JobVerify)
		assert.Equal(t, ledger.JobDone, job.State, job.Error)
		assert.Zero(t, job.Differing)
		assert.EqualValues(t, 102, job.KeysDone)
		for _, tenant := range append(w.tenants, "born later") {
			assert.Equal(t, "backfilled true, verified true, old complete true", w.state(tenant), tenant)
		}
	})
}

// A checkpoint that is not in its chunk's transaction would vouch for a chunk
// that was never committed, or let a committed one be repeated.
func TestCheckpointIsWrittenInItsChunksTransaction(t *testing.T) {
	bothWays(t, flags.Dual, func(t *testing.T, w *world, e backfill.Entity) {
		w.fill(acme, 35)
		w.exec(`create table witness (same boolean);
			create function witness() returns trigger language plpgsql as $$ begin
				insert into witness select c.xmin::text = (pg_current_xact_id()::xid)::text from crossfade.checkpoints c where c.tenant = new.tenant;
				return null; end $$;
			create constraint trigger witness after insert on notes_v2 deferrable initially deferred for each row execute function witness()`)
		require.Equal(t, ledger.JobDone, w.do(w.workerOf(e), ledger.JobBackfill).State)
		assert.Equal(t, "35 of 35", w.one("select count(*) filter (where same) || ' of ' || count(*) from witness"))
	})
}

// Whoever is born later is complete from birth only if nobody can be born where
// one side alone is written.
func TestWholeMigrationIsMarkedOnlyIfNobodyCanStandAtOld(t *testing.T) {
	for name, tc := range map[string]struct {
		policy flags.Policy
		whole  bool
	}{
		"everybody at dual":          {flags.Policy{Default: flags.Dual}, true},
		"some on the way to shadow":  {flags.Policy{Default: flags.Dual, Step: flags.Step{To: flags.Shadow, Share: 2500}}, true},
		"somebody else at old":       {flags.Policy{Default: flags.Dual, Overrides: map[string]flags.Stage{"zeta": flags.Old}}, false},
		"some not yet at dual":       {flags.Policy{Default: flags.Old, Step: flags.Step{To: flags.Dual, Share: 9999}, Overrides: map[string]flags.Stage{acme: flags.Dual}}, false},
		"this tenant alone at dual":  {flags.Policy{Default: flags.Old, Overrides: map[string]flags.Stage{acme: flags.Dual}}, false},
		"some on the way from dual":  {flags.Policy{Default: flags.Dual, Step: flags.Step{To: flags.Old, Share: 1}, Overrides: map[string]flags.Stage{acme: flags.Dual}}, false},
		"somebody else at live even": {flags.Policy{Default: flags.Dual, Overrides: map[string]flags.Stage{"zeta": flags.Live}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, flags.Dual)
			w.fill(acme, 3)
			w.publish(tc.policy, ledger.Effects{})
			w.settle()
			job := w.do(w.worker(), ledger.JobBackfill)
			assert.Equal(t, ledger.JobDone, job.State, job.Error)
			assert.Contains(t, w.state(acme), "backfilled true")
			assert.Equal(t, tc.whole, strings.HasPrefix(w.state("born later"), "backfilled true"))
		})
	}
}

func TestMigrationWithoutTenantsYetIsComplete(t *testing.T) {
	w := newWorld(t, flags.Dual)
	w.tenants = nil
	assert.Equal(t, ledger.JobDone, w.do(w.worker(), ledger.JobBackfill).State)
	assert.Equal(t, ledger.JobDone, w.do(w.worker(), ledger.JobVerify).State)
	assert.Equal(t, "backfilled true, verified true, old complete true", w.state("born later"))
}
