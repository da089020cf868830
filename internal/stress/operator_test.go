package stress

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// operator moves tenants up and down, requests jobs, and is refused often.
type operator struct {
	plane  *control.Plane
	store  *ledger.Store
	random *rand.Rand
	steps  map[string]int
}

func newOperator(pool *pgxpool.Pool, random *rand.Rand) *operator {
	store := ledger.New(pool, nil)
	return &operator{
		plane: control.New(store, &control.Config{DrainTimeout: time.Second, Poll: 5 * time.Millisecond}),
		store: store, random: random, steps: map[string]int{},
	}
}

// targets are where walks lead: around live most of the time.
var targets = []flags.Stage{
	flags.Old, flags.Dual, flags.Dual, flags.Shadow, flags.Shadow, flags.Shadow, flags.Live, flags.Live, flags.Live, flags.Live,
	flags.RampDown, flags.RampDown, flags.New,
}

// run walks until ctx ends.
func (o *operator) run(ctx context.Context) {
	for ctx.Err() == nil {
		target := targets[o.random.IntN(len(targets))]
		var named []string // none: everybody
		if o.random.IntN(4) > 0 {
			named = []string{tenants[o.random.IntN(len(tenants))]}
		}
		for range 4 + o.random.IntN(20) {
			if arrived := o.step(ctx, named, target); arrived || ctx.Err() != nil {
				break
			}
		}
	}
}

// step goes one rung, or does what the next rung needs.
func (o *operator) step(ctx context.Context, named []string, target flags.Stage) (arrived bool) {
	policy, err := o.store.Policy(ctx, migrationName)
	if err != nil {
		return false
	}
	change, ok := o.change(policy, named, target)
	if !ok {
		return true
	}
	result, err := o.plane.Apply(ctx, change)
	if result.Changed {
		o.steps[target.String()]++
	}
	var refused *control.StepError
	if !errors.As(err, &refused) {
		return false
	}
	switch refused.Blocks[0].Kind { // the first reason; the next turn sees what is left
	case control.BlockBackfill, control.BlockOldIncomplete:
		o.job(ctx, ledger.JobBackfill, named)
	case control.BlockVerify:
		o.job(ctx, ledger.JobVerify, named)
	case control.BlockStaleNew, control.BlockStaleOld, control.BlockFailing:
		o.job(ctx, ledger.JobReconcile, named)
	default:
		pause(ctx, time.Duration(o.random.IntN(20))*time.Millisecond)
	}
	return false
}

// change is the next one on the way to the target.
func (o *operator) change(policy flags.Policy, named []string, target flags.Stage) (control.Change, bool) {
	c := control.Change{
		Migration: migrationName, Actor: "stress", ExpectEpoch: policy.Epoch, NoWait: o.random.IntN(3) == 0,
	}
	stage := policy.Default
	if len(named) > 0 {
		compiled, err := policy.Compile()
		if err != nil {
			return c, false
		}
		stage, _ = compiled.Stage(named[0])
		if _, pinned := policy.Overrides[named[0]]; pinned && o.random.IntN(20) == 0 {
			c.Kind, c.Tenants = control.Unpin, named
			return c, true
		}
		c.Kind, c.Tenants = control.SetTenants, named
	} else {
		c.Kind = control.SetDefault
		if o.random.IntN(3) == 0 && stage != target {
			c.Kind, c.Share = control.SetPercentage, flags.Share(1+o.random.IntN(flags.Buckets))
		}
	}
	c.To = stage.Toward(target)
	return c, stage != target || policy.Step.Share > 0 && len(named) == 0
}

// job requests work and waits a while for its end.
func (o *operator) job(ctx context.Context, kind string, named []string) {
	id, err := o.store.RequestJob(ctx, ledger.JobRequest{Migration: migrationName, Kind: kind, Tenants: named, Actor: "stress"})
	var open *ledger.JobOpenError
	if errors.As(err, &open) {
		id = open.ID
	} else if err != nil {
		return
	}
	for range 100 {
		job, err := o.store.JobByID(ctx, id)
		if err == nil && !job.Open() || ctx.Err() != nil {
			return
		}
		pause(ctx, 10*time.Millisecond)
	}
	if o.random.IntN(4) == 0 {
		_ = o.store.CancelJob(ctx, id, "stress", "it takes too long")
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// saboteur cuts connections of the database until ctx ends.
func saboteur(ctx context.Context, keeper *pgxpool.Pool, random *rand.Rand) (cuts int) {
	const cut = `select pg_terminate_backend(pid) from (
		select pid from pg_stat_activity where datname = current_database() and application_name <> 'keeper' order by random() limit 1) one`
	for ctx.Err() == nil {
		pause(ctx, time.Duration(random.IntN(500))*time.Millisecond)
		if _, err := keeper.Exec(ctx, cut); err == nil {
			cuts++
		}
	}
	return cuts
}
