package crossfadetest

import (
	"context"
	"errors"
	"testing"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// EachStage runs a test at every stage of the ladder, from old to new, as a
// subtest of that name, each on a database of its own. The test is the user's
// own, and need not know about stages.
//
// Each database was walked up by the real control plane, rung by rung, from old,
// where App.Seed wrote, with the backfill and the verification that the steps
// ask for: what the test meets is what production would hold.
//
// Every read is compared at the stages that compare, and a mismatch fails the
// test. Where both sides are written, they are compared key by key once more
// after the test, among the tenants that the application's worker knows: a
// version that loses something on the way fails at dual already.
func EachStage[R any](t *testing.T, app App[R], test func(t *testing.T, r R)) {
	t.Helper()
	for _, stage := range flags.Stages() {
		t.Run(stage.String(), func(t *testing.T) {
			dsn, operator := app.database(t)
			one := app.start(t, dsn, app.member("crossfadetest"))
			operator.workers = func() []*backfill.Worker { return one.workers }
			app.seed(t, one.repositories)
			if err := operator.climb(t.Context(), stage); err != nil {
				t.Fatalf("crossfadetest: %v", err)
			}
			if stage == flags.Dual { // which no step has asked for yet
				if err := operator.job(t.Context(), ledger.JobBackfill); err != nil {
					t.Fatalf("crossfadetest: %v", err)
				}
			}
			if stage.Plan().WritesBoth {
				t.Cleanup(func() { operator.compareAfter(t) })
			}
			test(t, one.repositories)
		})
	}
}

// compareAfter fails the test unless both sides hold the same.
func (o *operator) compareAfter(t testing.TB) {
	t.Helper()
	if t.Failed() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	err := o.compared(ctx)
	if different := (*differError)(nil); err != nil && !errors.As(err, &different) {
		// The steps of a mixed fleet may have left a side incomplete, which is no fault.
		if err = o.job(ctx, ledger.JobBackfill); err == nil {
			err = o.compared(ctx)
		}
	}
	if err != nil {
		t.Errorf("crossfadetest: after the test: %v", err)
	}
}

// compared compares both sides, once the keys are repaired that a lenient write
// left behind.
func (o *operator) compared(ctx context.Context) error {
	if err := o.job(ctx, ledger.JobReconcile); err != nil {
		return err
	}
	return o.verify(ctx)
}
