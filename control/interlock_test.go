package control_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/versions"
)

var now = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// at is a state in which everybody stands at a stage, nobody acts on anything
// older, both sides hold everything, and nothing is stale.
func at(stage flags.Stage) *control.State {
	return &control.State{
		Migration: ledger.Migration{Migration: versions.Migration{Name: name, Entity: "customers", From: "v1", To: "v2"}, ID: 1, Salt: name, Epoch: 9},
		Policies:  []ledger.PolicyState{{Policy: flags.Policy{Migration: name, Epoch: 9, Salt: name, Default: stage}, CreatedAt: now.Add(-time.Minute)}},
		Whole:     ledger.TenantState{BackfilledAt: &now, VerifiedAt: &now, OldComplete: true},
		At:        now,
	}
}

// before puts an older policy into the state on which somebody may still act.
func before(s *control.State, epoch int64, stage flags.Stage, mutate ...func(*ledger.PolicyState)) *control.State {
	p := ledger.PolicyState{Policy: flags.Policy{Migration: name, Epoch: epoch, Salt: name, Default: stage}, CreatedAt: now.Add(-time.Hour)}
	for _, m := range mutate {
		m(&p)
	}
	s.Policies = append([]ledger.PolicyState{p}, s.Policies...)
	return s
}

func drained(p *ledger.PolicyState)      { p.DrainedAt = &now }
func acknowledged(p *ledger.PolicyState) { p.AcknowledgedAt = &now }

func stale(tenant string, side flags.Side) func(*control.State) {
	return func(s *control.State) {
		s.Stale = append(s.Stale, ledger.StaleCount{Tenant: tenant, Side: side, Keys: 3, Oldest: now.Add(-90 * time.Second)})
	}
}

func kinds(blocks []control.Block) []control.BlockKind {
	all := []control.BlockKind{}
	for _, b := range blocks {
		all = append(all, b.Kind)
	}
	return all
}

// The ladder, row by row: what each step of everybody depends on.
func TestLadder(t *testing.T) {
	t.Parallel()
	notBackfilled := func(s *control.State) { s.Whole.BackfilledAt = nil }
	notVerified := func(s *control.State) { s.Whole.VerifiedAt = nil }
	incomplete := func(s *control.State) { s.Whole.OldComplete = false }
	staleNew, staleOld := stale("acme", flags.NewSide), stale("acme", flags.OldSide)
	failing := func(s *control.State) {
		s.Stale = append(s.Stale, ledger.StaleCount{Tenant: "acme", Side: flags.NewSide, Keys: 3, Failing: 2})
	}
	untried := func(s *control.State) {
		s.Stale = append(s.Stale, ledger.StaleCount{Tenant: "acme", Side: flags.NewSide, Keys: 3, Untried: 1})
	}
	harmless := map[string]func(*control.State){
		"not backfilled": notBackfilled, "not verified": notVerified, "old side incomplete": incomplete,
		"stale on the new side": staleNew, "stale on the old side": staleOld, "failing copies": failing, "untried copies": untried,
	}
	type row struct {
		from, to flags.Stage
		harms    map[string]control.BlockKind // all others of harmless do not matter
	}
	for _, r := range []row{
		{flags.Old, flags.Dual, nil},
		{flags.Dual, flags.Shadow, map[string]control.BlockKind{"not backfilled": control.BlockBackfill, "not verified": control.BlockVerify}},
		{flags.Shadow, flags.Live, map[string]control.BlockKind{"not backfilled": control.BlockBackfill, "failing copies": control.BlockFailing, "untried copies": control.BlockFailing}},
		{flags.Live, flags.RampDown, map[string]control.BlockKind{"stale on the new side": control.BlockStaleNew, "failing copies": control.BlockStaleNew, "untried copies": control.BlockStaleNew}},
		{flags.RampDown, flags.New, map[string]control.BlockKind{"stale on the new side": control.BlockStaleNew, "failing copies": control.BlockStaleNew, "untried copies": control.BlockStaleNew}},

		{flags.New, flags.RampDown, nil},
		{flags.RampDown, flags.Live, nil},
		{flags.Live, flags.Shadow, map[string]control.BlockKind{"old side incomplete": control.BlockOldIncomplete, "stale on the old side": control.BlockStaleOld}},
		{flags.Shadow, flags.Dual, nil},
		{flags.Dual, flags.Old, nil},
	} {
		t.Run(fmt.Sprintf("%s to %s", r.from, r.to), func(t *testing.T) {
			t.Parallel()
			next := flags.Policy{Default: r.to}
			assert.Empty(t, control.Check(at(r.from), next), "nothing speaks against it")
			for harm, mutate := range harmless {
				s := at(r.from)
				mutate(s)
				if want, ok := r.harms[harm]; ok {
					assert.Equal(t, []control.BlockKind{want}, kinds(control.Check(s, next)), harm)
				} else {
					assert.Empty(t, control.Check(s, next), harm)
				}
			}
			for _, older := range flags.Stages() {
				who := func(p *ledger.PolicyState) {}
				want := []control.BlockKind{control.BlockBarrier}
				if older == r.from || older == r.to {
					want = []control.BlockKind{}
				}
				assert.Equal(t, want, kinds(control.Check(before(at(r.from), 8, older, who), next)), "older policy at %s", older)
				assert.Equal(t, want, kinds(control.Check(before(at(r.from), 8, older, drained), next)), "%s drained, not acknowledged", older)
				assert.Equal(t, want, kinds(control.Check(before(at(r.from), 8, older, acknowledged), next)), "%s acknowledged, not drained", older)
				assert.Empty(t, control.Check(before(at(r.from), 8, older, drained, acknowledged), next), "nobody acts on %s", older)
			}
		})
	}
}

func TestEveryStepOfTwoRungsIsRefused(t *testing.T) {
	t.Parallel()
	for _, from := range flags.Stages() {
		for _, to := range flags.Stages() {
			blocks := control.Check(at(from), flags.Policy{Default: to})
			if from.Adjacent(to) {
				assert.Empty(t, blocks)
				continue
			}
			require.Len(t, blocks, 1)
			assert.Equal(t, control.BlockJump, blocks[0].Kind)
			err := &control.StepError{Migration: name, Blocks: blocks}
			assert.EqualError(t, err, fmt.Sprintf("customers-v2: cannot step from %s to %s: go to %s first", from, to, from.Toward(to)))
			assert.False(t, err.Passes())
		}
	}
}

func TestAllReasonsComeAtOnceAndSayWhatToDo(t *testing.T) {
	t.Parallel()
	s := before(before(at(flags.Live), 7, flags.RampDown), 8, flags.Live, drained)
	s.Policies[0], s.Policies[1] = s.Policies[1], s.Policies[0]
	s.Policies[1].CreatedAt = now.Add(-time.Hour)
	s.Whole.OldComplete = false
	stale("acme", flags.OldSide)(s)
	stale("zeta", flags.OldSide)(s)
	s.Processes = []ledger.Process{
		{Name: "shop", PID: 12, Host: "web-1", Epoch: 7, HeartbeatAt: now.Add(-time.Second)},
		{Name: "shop", PID: 13, Host: "web-2", Epoch: 9, HeartbeatAt: now},
		{Name: "shop", PID: 14, Host: "web-3", Epoch: 9, HeartbeatAt: now.Add(-2 * time.Second), Unknown: true},
	}
	s.Jobs = []ledger.Job{{ID: 4, Kind: "backfill", State: "running", TenantsDone: 2, TenantsAll: 5}}
	blocks := control.Check(s, flags.Policy{Default: flags.Shadow})
	assert.Equal(t, []control.BlockKind{
		control.BlockUnknownPolicy, control.BlockBarrier, control.BlockOldIncomplete, control.BlockStaleOld,
	}, kinds(blocks))
	text := (&control.StepError{Migration: name, Blocks: blocks}).Error()
	for _, words := range []string{
		"customers-v2: cannot step from live to shadow: ",
		"shop[14]@web-3 acts on epoch 9",
		"a policy that the ledger does not know",
		"transactions of epoch 7 may still run",
		"shop[12]@web-1 acts on epoch 7, which was replaced 1h0m0s ago (last heartbeat 1s ago)",
		"the old side of 2 tenants (\"acme\", \"zeta\") and tenants without a state of their own missed writes at new: backfill 4 is running, 2 of 5 tenants done",
		"6 keys of 2 tenants (\"acme\", \"zeta\") are stale on the old side, the oldest for 1m30s: run `crossfade reconcile customers-v2`",
	} {
		assert.Contains(t, text, words)
	}
	assert.NotContains(t, text, "web-2", "who has acknowledged is not blamed")
	assert.Equal(t, []int64{7}, blocks[1].Epochs)
	require.Len(t, blocks[1].Processes, 1)
	assert.Equal(t, 12, blocks[1].Processes[0].PID)
}

func TestOnlyWaitingIsMissing(t *testing.T) {
	t.Parallel()
	s := before(at(flags.Dual), 8, flags.Old)
	err := &control.StepError{Migration: name, Blocks: control.Check(s, flags.Policy{Default: flags.Shadow})}
	assert.True(t, err.Passes())
	s.Whole.BackfilledAt = nil
	err = &control.StepError{Migration: name, Blocks: control.Check(s, flags.Policy{Default: flags.Shadow})}
	assert.False(t, err.Passes())
	assert.ErrorContains(t, err, "the backfill of tenants without a state of their own is not complete: run `crossfade backfill customers-v2`")
}

func TestProcessThatCameBackIsWaitedFor(t *testing.T) {
	t.Parallel()
	s := before(at(flags.Dual), 8, flags.Old, drained, acknowledged)
	next := flags.Policy{Default: flags.Shadow}
	require.Empty(t, control.Check(s, next))
	s.Processes = []ledger.Process{{Name: "shop", Epoch: 8, HeartbeatAt: now}}
	assert.Equal(t, []control.BlockKind{control.BlockBarrier}, kinds(control.Check(s, next)))
}

func TestVerificationFromBeforeTheBackfillCountsNoMore(t *testing.T) {
	t.Parallel()
	s := at(flags.Dual)
	earlier := now.Add(-time.Hour)
	s.Whole.VerifiedAt = &earlier
	assert.Equal(t, []control.BlockKind{control.BlockVerify}, kinds(control.Check(s, flags.Policy{Default: flags.Shadow})))
}

func TestOnlyTenantsThatMoveCount(t *testing.T) {
	t.Parallel()
	// acme moves by an override; the whole migration, not backfilled, does not.
	s := at(flags.Dual)
	s.Whole.BackfilledAt, s.Whole.VerifiedAt = nil, nil
	s.Tenants = map[string]ledger.TenantState{"acme": {Tenant: "acme", BackfilledAt: &now, VerifiedAt: &now, OldComplete: true}}
	pinned := flags.Policy{Default: flags.Dual, Overrides: map[string]flags.Stage{"acme": flags.Shadow}}
	assert.Empty(t, control.Check(s, pinned))

	// A tenant without a state of its own is covered by the whole migration's.
	other := flags.Policy{Default: flags.Dual, Overrides: map[string]flags.Stage{"zeta": flags.Shadow}}
	blocks := control.Check(s, other)
	assert.Equal(t, []control.BlockKind{control.BlockBackfill, control.BlockVerify}, kinds(blocks))
	assert.Equal(t, []string{"zeta"}, blocks[0].Tenants)
	assert.Contains(t, blocks[0].Text, "run `crossfade backfill customers-v2 --tenant \"zeta\"`")
	assert.False(t, blocks[0].Others)
	s.Whole.BackfilledAt, s.Whole.VerifiedAt = &now, &now
	assert.Empty(t, control.Check(s, other), "a tenant born while both sides are written is complete from birth")

	// The default moves everybody but those whom an override names.
	s.Tenants["acme"] = ledger.TenantState{Tenant: "acme", OldComplete: true}
	everybody := flags.Policy{Default: flags.Shadow}
	assert.Equal(t, []string{"acme"}, control.Check(s, everybody)[0].Tenants)
	everybody.Overrides = map[string]flags.Stage{"acme": flags.Dual}
	assert.Empty(t, control.Check(s, everybody))
	stale("acme", flags.NewSide)(s)
	assert.Empty(t, control.Check(s, everybody), "nor do stale keys of who stays")
}

func TestUnpinMovesATenantToWhereOthersAre(t *testing.T) {
	t.Parallel()
	s := at(flags.Live)
	s.Policies[0].Overrides = map[string]flags.Stage{"acme": flags.Dual}
	blocks := control.Check(s, flags.Policy{Default: flags.Live})
	require.Equal(t, []control.BlockKind{control.BlockJump}, kinds(blocks))
	assert.Equal(t, "go to shadow first", blocks[0].Text)
	assert.Equal(t, []string{"acme"}, blocks[0].Tenants)
}

// cohort returns a tenant inside and one outside of a share.
func cohort(t *testing.T, share flags.Share) (inside, outside string) {
	t.Helper()
	c, err := flags.Policy{Migration: name, Salt: name, Default: flags.Old, Step: flags.Step{To: flags.Dual, Share: share}}.Compile()
	require.NoError(t, err)
	for i := 0; inside == "" || outside == ""; i++ {
		tenant := fmt.Sprintf("tenant-%d", i)
		if c.Bucket(tenant) < int(share) {
			inside = tenant
		} else {
			outside = tenant
		}
	}
	return inside, outside
}

func TestPercentageMovesKnownTenantsByTheirBucketAndUnknownOnesByTheWhole(t *testing.T) {
	t.Parallel()
	inside, outside := cohort(t, 2500)
	s := at(flags.Dual)
	incomplete := ledger.TenantState{OldComplete: true}
	quarter := flags.Policy{Default: flags.Dual, Step: flags.Step{To: flags.Shadow, Share: 2500}}
	s.Tenants = map[string]ledger.TenantState{outside: incomplete}
	assert.Empty(t, control.Check(s, quarter), "who is outside of the share does not move")
	s.Tenants[inside] = incomplete
	blocks := control.Check(s, quarter)
	assert.Equal(t, []string{inside}, blocks[0].Tenants)
	assert.False(t, blocks[0].Others)

	s = at(flags.Dual)
	s.Whole = incomplete
	assert.True(t, control.Check(s, quarter)[0].Others)
	assert.Empty(t, control.Check(s, flags.Policy{Default: flags.Dual, Step: flags.Step{To: flags.Shadow, Share: 0}}))

	// Raising a share moves only those between the two.
	s = at(flags.Dual)
	s.Policies[0].Step = flags.Step{To: flags.Shadow, Share: 2500}
	s.Tenants = map[string]ledger.TenantState{inside: incomplete}
	half := flags.Policy{Default: flags.Dual, Step: flags.Step{To: flags.Shadow, Share: 5000}}
	assert.Empty(t, control.Check(s, half))

	// All of them at the step is the same as the default.
	s = at(flags.Dual)
	s.Policies[0].Step = flags.Step{To: flags.Shadow, Share: flags.Buckets}
	s.Whole = incomplete
	assert.Empty(t, control.Check(s, flags.Policy{Default: flags.Shadow}))
	assert.Equal(t, []control.BlockKind{control.BlockBackfill, control.BlockFailing}[:1], kinds(control.Check(s, flags.Policy{Default: flags.Live})))
}

func TestBarrierLooksAtEachTenantAlone(t *testing.T) {
	t.Parallel()
	// Somebody may still act on a policy with 25 % at shadow; everybody is at
	// dual again. Those outside were never at shadow: they may go to old.
	inside, outside := cohort(t, 2500)
	s := before(at(flags.Dual), 8, flags.Dual, func(p *ledger.PolicyState) { p.Step = flags.Step{To: flags.Shadow, Share: 2500} })
	for tenant, want := range map[string][]control.BlockKind{inside: {control.BlockBarrier}, outside: {}} {
		next := flags.Policy{Default: flags.Dual, Overrides: map[string]flags.Stage{tenant: flags.Old}}
		assert.Equal(t, want, kinds(control.Check(s, next)), tenant)
	}
	blocks := control.Check(s, flags.Policy{Default: flags.Old})
	require.Equal(t, []control.BlockKind{control.BlockBarrier}, kinds(blocks))
	assert.True(t, blocks[0].Others)
}

func TestPolicyThatCannotBeCompiledIsABlock(t *testing.T) {
	t.Parallel()
	blocks := control.Check(at(flags.Old), flags.Policy{Default: flags.Old, Step: flags.Step{To: flags.Live, Share: 1}})
	require.Equal(t, []control.BlockKind{control.BlockInvalid}, kinds(blocks))
	assert.ErrorContains(t, &control.StepError{Migration: name, Blocks: blocks}, "joins a rung to the next one only")
}

func TestRulesAreWrittenDownOnce(t *testing.T) {
	t.Parallel()
	seen := map[control.BlockKind]bool{}
	for _, r := range control.Rules() {
		assert.NotEmpty(t, r.Sentence)
		assert.False(t, seen[r.Kind], "%s twice", r.Kind)
		seen[r.Kind] = true
		for _, step := range r.Steps {
			assert.True(t, step.From.Adjacent(step.To))
		}
	}
	assert.Len(t, slices.Collect(maps.Keys(seen)), len(control.Rules()))
	for _, forcible := range []control.BlockKind{control.BlockMismatches, control.BlockGuardrail, control.BlockFreeze, control.BlockApproval} {
		assert.True(t, seen[forcible])
	}
}
