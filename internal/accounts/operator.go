package accounts

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

// Operator moves tenants up and down, requests jobs, and is refused often.
type Operator struct {
	Store *ledger.Store
	// Targets are where walks lead; some may be there more than once.
	Targets []flags.Stage
	// Whole has every walk be of everybody, most of the time by shares of keys.
	Whole bool
	// Stepped is told of each step. It may be nil.
	Stepped func(up bool)

	plane  *control.Plane
	random *rand.Rand
}

// NewOperator returns an operator whose walks lead to around live most of the time.
func NewOperator(pool *pgxpool.Pool, random *rand.Rand) *Operator {
	store := ledger.New(pool, nil)
	return &Operator{
		Store: store,
		Targets: []flags.Stage{
			flags.Old, flags.Dual, flags.Dual, flags.Shadow, flags.Shadow, flags.Shadow, flags.Live, flags.Live, flags.Live, flags.Live,
			flags.RampDown, flags.RampDown, flags.New,
		},
		plane:  control.New(store, &control.Config{DrainTimeout: time.Second, Poll: 5 * time.Millisecond}),
		random: random,
	}
}

// Run walks until ctx ends.
func (o *Operator) Run(ctx context.Context) {
	for ctx.Err() == nil {
		target := o.Targets[o.random.IntN(len(o.Targets))]
		var named []string // none: everybody
		if o.random.IntN(4) > 0 && !o.Whole {
			named = []string{Tenants[o.random.IntN(len(Tenants))]}
		}
		if o.random.IntN(15) == 0 {
			o.emergency(ctx, named)
			continue
		}
		for range 4 + o.random.IntN(20) {
			if arrived := o.Step(ctx, named, target); arrived || ctx.Err() != nil {
				break
			}
		}
	}
}

// emergency walks down without looking back, for a while.
func (o *Operator) emergency(ctx context.Context, named []string) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	_, _ = o.plane.Walk(ctx, control.Walk{
		Migration: MigrationName, To: flags.Stage(1 + o.random.IntN(2)), Tenants: named, Actor: "operator", Reason: "emergency",
		Step: func(control.Result) { o.stepped(false) },
	})
}

func (o *Operator) stepped(up bool) {
	if o.Stepped != nil {
		o.Stepped(up)
	}
}

// Step goes one rung, or does what the next rung needs.
func (o *Operator) Step(ctx context.Context, named []string, target flags.Stage) (arrived bool) {
	policy, err := o.Store.Policy(ctx, MigrationName)
	if err != nil {
		Pause(ctx, 10*time.Millisecond)
		return false
	}
	change, up, ok := o.change(policy, named, target)
	if !ok {
		return true
	}
	result, err := o.plane.Apply(ctx, change)
	if result.Changed {
		o.stepped(up)
	}
	var refused *control.StepError
	if !errors.As(err, &refused) {
		return false
	}
	switch refused.Blocks[0].Kind { // the first reason; the next turn sees what is left
	case control.BlockBackfill, control.BlockOldIncomplete:
		o.Job(ctx, ledger.JobBackfill, named)
	case control.BlockVerify:
		o.Job(ctx, ledger.JobVerify, named)
	case control.BlockBypassed:
		if m, err := o.Store.Migration(ctx, MigrationName); err == nil {
			_, _ = o.Store.AcceptCaptures(ctx, m, flags.OldSide)
		}
	case control.BlockStaleNew, control.BlockStaleOld, control.BlockFailing:
		o.Job(ctx, ledger.JobReconcile, named)
	default:
		Pause(ctx, time.Duration(o.random.IntN(20))*time.Millisecond)
	}
	return false
}

// change is the next one on the way to the target.
func (o *Operator) change(policy flags.Policy, named []string, target flags.Stage) (c control.Change, up, more bool) {
	c = control.Change{
		Migration: MigrationName, Actor: "operator", ExpectEpoch: policy.Epoch, NoWait: o.random.IntN(3) == 0,
	}
	if len(named) == 0 {
		return o.changeOfAll(c, policy, target)
	}
	compiled, err := policy.Compile()
	if err != nil {
		return c, false, false
	}
	stage, high := compiled.Range(named[0])
	if _, pinned := policy.Overrides[named[0]]; pinned && o.random.IntN(20) == 0 {
		c.Kind, c.Tenants = control.Unpin, named
		return c, policy.Default > stage, true
	}
	more = stage != target || high != target
	if target < high { // a share of the tenant's keys has the longer way
		stage = high
	}
	c.Kind, c.Tenants, c.To = control.SetTenants, named, stage.Toward(target)
	return c, c.To > stage, more
}

// changeOfAll moves everybody, or a share of the tenants or of the keys.
func (o *Operator) changeOfAll(c control.Change, policy flags.Policy, target flags.Stage) (_ control.Change, up, more bool) {
	stage, step := policy.Default, policy.Step
	c.Kind, c.To = control.SetDefault, stage.Toward(target)
	shares := o.random.IntN(3) == 0
	if o.Whole {
		shares = o.random.IntN(4) > 0
	}
	switch {
	case step.Share > 0 && step.To != c.To && o.random.IntN(2) == 0: // it leads elsewhere
		c.Kind = control.SetPercentage
		return c, step.To < stage, true
	case shares && stage != target:
		c.Kind, c.Share = control.SetPercentage, flags.Share(1+o.random.IntN(flags.Buckets))
		if both := stage.Plan().WritesBoth && c.To.Plan().WritesBoth; both && (o.Whole || o.random.IntN(2) == 0) {
			c.Of = flags.OfKeys
		}
		if step.Share > 0 && o.random.IntN(8) > 0 {
			c.Of = step.Of // another one is refused
		}
	}
	return c, c.To > stage, stage != target || step.Share > 0
}

// Job requests work and waits a while for its end.
func (o *Operator) Job(ctx context.Context, kind string, named []string) {
	id, err := o.Store.RequestJob(ctx, ledger.JobRequest{Migration: MigrationName, Kind: kind, Tenants: named, Actor: "operator"})
	var open *ledger.JobOpenError
	if errors.As(err, &open) {
		id = open.ID
	} else if err != nil {
		return
	}
	for range 100 {
		job, err := o.Store.JobByID(ctx, id)
		if err == nil && !job.Open() || ctx.Err() != nil {
			return
		}
		Pause(ctx, 10*time.Millisecond)
	}
	if o.random.IntN(4) == 0 {
		_ = o.Store.CancelJob(ctx, id, "operator", "it takes too long")
	}
}

// AllAt reports whether every tenant stands at the stage, with all its keys.
func AllAt(policy flags.Policy, stage flags.Stage) bool {
	compiled, err := policy.Compile()
	if err != nil {
		return false
	}
	for _, tenant := range Tenants {
		if low, high := compiled.Range(tenant); low != stage || high != stage {
			return false
		}
	}
	return true
}
