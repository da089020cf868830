package walk

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/progress"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a fleet that does what a step says at once, and notes what it was.
type world struct {
	Situation
	policy flags.Policy
	whole  ledger.TenantState
	did    []string
	clock  time.Time
}

func newWorld(stop flags.Stage) *world {
	return &world{
		Situation: Situation{Tenants: []string{"a", "b", "c"}, StopAt: stop, Fault: progress.FaultNone},
		policy:    flags.Policy{Migration: "m", Default: flags.Old},
		clock:     time.Unix(1000, 0),
	}
}

// walk takes steps until the end, or until there were so many.
func (w *world) walk(t *testing.T, most int) {
	for range most {
		w.State = &ledger.State{Policies: []ledger.PolicyState{{Policy: w.policy}}, Whole: w.whole}
		step := Next(w.Situation)
		w.did = append(w.did, step.Text)
		if step.Action == End {
			return
		}
		w.take(t, step)
	}
}

func (w *world) take(t *testing.T, step Step) {
	w.clock = w.clock.Add(time.Second)
	at := w.clock
	switch step.Action {
	case Move:
		w.move(t, step.Change)
	case Copy, Repair:
		w.whole.BackfilledAt = &at
		if step.Action == Repair {
			w.Fault = progress.FaultRepaired
		}
	case Prove:
		w.whole.VerifiedAt = &at
	case Check:
		w.Checked = true
	case Plant:
		w.Fault = progress.FaultPlanted
	case Watch:
		w.Fault = progress.FaultFound
	case Lift:
		w.Fault = progress.FaultLifted
	case Count:
		w.Fault, w.whole.VerifiedAt = progress.FaultCounted, nil
	default:
		t.Fatalf("step %+v", step)
	}
}

// move does what the control plane would, and requires that every tenant goes to an adjacent rung at most.
func (w *world) move(t *testing.T, c control.Change) {
	before, next := w.policy, w.policy
	next.Overrides = map[string]flags.Stage{}
	for tenant, stage := range before.Overrides {
		next.Overrides[tenant] = stage
	}
	switch c.Kind {
	case control.SetDefault:
		next.Default, next.Step = c.To, flags.Step{}
	case control.SetPercentage:
		next.Step = flags.Step{To: c.To, Share: c.Share}
	case control.SetTenants:
		for _, tenant := range c.Tenants {
			next.Overrides[tenant] = c.To
		}
	}
	b, err := before.Compile()
	require.NoError(t, err)
	n, err := next.Compile()
	require.NoError(t, err, "%+v", c)
	for _, tenant := range w.Tenants {
		from, _ := b.Stage(tenant)
		to, _ := n.Stage(tenant)
		require.True(t, from.Adjacent(to), "%s goes from %s to %s", tenant, from, to)
	}
	w.policy = next
}

func TestTheWalkTakesEveryRungForOneTenantThenForSomeThenForAll(t *testing.T) {
	w := newWorld(flags.New)
	w.walk(t, 100)
	assert.Equal(t, []string{
		"dual for one tenant", "dual for 5%", "dual for 25%", "dual for all",
		"backfill of all keys", "verification of all keys",
		"shadow for one tenant", "shadow for 5%", "shadow for 25%", "shadow for all",
		"live for one tenant", "live for 5%", "live for 25%", "live for all",
		"rampdown for one tenant", "rampdown for 5%", "rampdown for 25%", "rampdown for all",
		"everything is read back before new",
		"new for one tenant", "new for 5%", "new for 25%", "new for all",
		"everything is read back at the end",
	}, w.did)
}

func TestThePlantedFaultIsFoundAndRepairedOnTheWay(t *testing.T) {
	w := newWorld(flags.Live)
	w.PlantBug = true
	w.walk(t, 100)
	assert.Equal(t, []string{
		"dual for one tenant", "dual for 5%", "dual for 25%", "dual for all",
		"backfill of all keys", "verification of all keys",
		"shadow for one tenant", "shadow for 5%", "shadow for 25%",
		"version 2 gets a fault: a name of five words loses its middle", "shadow reads look for the fault",
		"all but one tenant back to dual", "all back to dual", "version 2 is mended",
		"verification counts the damaged keys", "the keys are copied again", "verification of all keys",
		"shadow for one tenant", "shadow for 5%", "shadow for 25%", "shadow for all",
		"live for one tenant", "live for 5%", "live for 25%", "live for all",
		"everything is read back at the end",
	}, w.did)
}

func TestTheWalkStopsWhereItIsAskedToAndGoesOnLater(t *testing.T) {
	for _, stop := range flags.Stages() {
		w := newWorld(stop)
		w.walk(t, 100)
		assert.Equal(t, stop, w.policy.Default)
		assert.Equal(t, "everything is read back at the end", w.did[len(w.did)-1])
		w.StopAt = flags.New
		w.walk(t, 100)
		assert.Equal(t, flags.New, w.policy.Default)
	}
}

func TestAWalkThatIsKilledAnywhereGoesTheSameWay(t *testing.T) {
	whole := newWorld(flags.New)
	whole.PlantBug = true
	whole.walk(t, 100)
	for n := range whole.did {
		w := newWorld(flags.New)
		w.PlantBug = true
		w.walk(t, n)   // killed
		w.walk(t, 100) // by a process that remembers nothing
		assert.Equal(t, whole.did, w.did)
	}
}

func TestStaleKeysAreRepairedBeforeTheNextRung(t *testing.T) {
	w := newWorld(flags.New)
	w.policy.Default = flags.Live
	at := time.Unix(1, 0)
	w.whole = ledger.TenantState{BackfilledAt: &at, VerifiedAt: &at}
	w.State = &ledger.State{
		Policies: []ledger.PolicyState{{Policy: w.policy}}, Whole: w.whole,
		Stale: []ledger.StaleCount{{Tenant: "a", Side: flags.NewSide, Keys: 1}},
	}
	assert.Equal(t, Mend, Next(w.Situation).Action)
}

func TestBackfillAndVerificationAreOverForTenantsYetToBeBornToo(t *testing.T) {
	w, at, later := newWorld(flags.New), time.Unix(1, 0), time.Unix(2, 0)
	w.policy.Default = flags.Dual
	next := func(whole, own ledger.TenantState) Action {
		tenants := map[string]ledger.TenantState{"a": own, "b": own, "c": own}
		w.State = &ledger.State{Policies: []ledger.PolicyState{{Policy: w.policy}}, Whole: whole, Tenants: tenants}
		return Next(w.Situation).Action
	}
	done := ledger.TenantState{BackfilledAt: &at, VerifiedAt: &later}
	assert.Equal(t, Copy, next(ledger.TenantState{}, done))
	assert.Equal(t, Copy, next(done, ledger.TenantState{}))
	assert.Equal(t, Prove, next(ledger.TenantState{BackfilledAt: &at}, done))
	assert.Equal(t, Prove, next(done, ledger.TenantState{BackfilledAt: &later, VerifiedAt: &at}))
	assert.Equal(t, Move, next(done, done))
}

func TestNobodyLeavesARungBeforeItHasSeenTraffic(t *testing.T) {
	w := newWorld(flags.New)
	var left []flags.Stage
	for range 100 {
		w.State = &ledger.State{Policies: []ledger.PolicyState{{Policy: w.policy}}, Whole: w.whole}
		step := Next(w.Situation)
		if step.Leaves.Valid() {
			left = append(left, step.Leaves)
		}
		if step.Action == End {
			break
		}
		w.take(t, step)
	}
	assert.Equal(t, []flags.Stage{flags.Old, flags.Dual, flags.Shadow, flags.Live, flags.RampDown, flags.RampDown, flags.New}, left)
}
