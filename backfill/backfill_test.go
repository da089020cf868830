package backfill_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

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
