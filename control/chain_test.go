package control_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/versions"
)

const later = "customers-v3"

// laterAt is a state of customers-v3, as [at] is one of customers-v2.
func laterAt(stage flags.Stage) *control.State {
	s := at(stage)
	s.Migration.Migration = versions.Migration{Name: later, Entity: "customers", From: "v2", To: "v3"}
	s.Migration.ID, s.Migration.Salt = 2, later
	s.Policies[0].Migration, s.Policies[0].Salt = later, later
	return s
}

// chained tells both states of each other.
func chained(v2, v3 *control.State) (*control.State, *control.State) {
	v2.Following, v3.Previous = []*control.State{v3}, []*control.State{v2}
	return v2, v3
}

func everybodyAt(stage flags.Stage) flags.Policy { return flags.Policy{Default: stage} }

func TestVersionAfterTheNextIsEnteredOnlyFromNewAndNewIsLeftOnlyFromOld(t *testing.T) {
	t.Parallel()
	for _, two := range flags.Stages() {
		for _, three := range flags.Stages() {
			for _, to := range flags.Stages() {
				v2, v3 := chained(at(two), laterAt(three))
				got := slices.Contains(kinds(control.Check(v3, everybodyAt(to))), control.BlockChainBelow)
				assert.Equal(t, to > three && two != flags.New, got, "customers-v2 at %s, customers-v3 from %s to %s", two, three, to)
				got = slices.Contains(kinds(control.Check(v2, everybodyAt(to))), control.BlockChainAbove)
				assert.Equal(t, two == flags.New && to != flags.New && three != flags.Old, got, "customers-v3 at %s, customers-v2 from %s to %s", three, two, to)
			}
		}
	}
}

func TestChainSaysWhatToDo(t *testing.T) {
	t.Parallel()
	v2, v3 := chained(at(flags.Live), laterAt(flags.Old))
	v2.Policies[0].Overrides = map[string]flags.Stage{"acme": flags.Shadow}
	err := &control.StepError{Migration: later, Blocks: control.Check(v3, everybodyAt(flags.Dual))}
	assert.EqualError(t, err, `customers-v3: cannot step from old to dual: customers-v2 goes from v1 to v2 and has tenant "acme" and tenants without a state of their own at shadow (pinned) and live: go to new of customers-v2 first`)

	v2, _ = chained(at(flags.New), laterAt(flags.Dual))
	blocks := control.Check(v2, everybodyAt(flags.RampDown))
	assert.ErrorContains(t, &control.StepError{Migration: name, Blocks: blocks}, "customers-v3 goes from v2 to v3 and has tenants without a state of their own at dual: go to old of customers-v3 first")
	assert.False(t, blocks[0].Mends)

	v2, v3 = chained(at(flags.New), laterAt(flags.Old))
	before(v2, 8, flags.RampDown, drained)
	blocks = control.Check(v3, everybodyAt(flags.Dual))
	require.Equal(t, []control.BlockKind{control.BlockChainBelow}, kinds(blocks))
	assert.Contains(t, blocks[0].Text, "wait for the step before of customers-v2: somebody may still act on its epoch 8")
	assert.True(t, blocks[0].Mends, "waiting is all that is missing")
	v2.Policies[0].AcknowledgedAt = &now
	assert.Empty(t, control.Check(v3, everybodyAt(flags.Dual)))
	v2.Processes = []ledger.Process{{Name: "shop", Epoch: 8, ID: [16]byte{1}}}
	v3.Processes = v2.Processes
	assert.Contains(t, kinds(control.Check(v3, everybodyAt(flags.Dual))), control.BlockChainBelow, "a process came back with the older policy")
}

func TestChainIsJudgedTenantByTenant(t *testing.T) {
	t.Parallel()
	pinned := func(stage flags.Stage, tenants ...string) map[string]flags.Stage {
		all := map[string]flags.Stage{}
		for _, tenant := range tenants {
			all[tenant] = stage
		}
		return all
	}
	for what, c := range map[string]struct {
		v2, v3, next flags.Policy
		refused      bool
	}{
		"a tenant at new goes on while the others wait": {
			v2: flags.Policy{Default: flags.Live, Overrides: pinned(flags.New, "acme")}, v3: everybodyAt(flags.Old),
			next: flags.Policy{Default: flags.Old, Overrides: pinned(flags.Dual, "acme")},
		},
		"another one may not": {
			v2: flags.Policy{Default: flags.Live, Overrides: pinned(flags.New, "acme")}, v3: everybodyAt(flags.Old),
			next: flags.Policy{Default: flags.Old, Overrides: pinned(flags.Dual, "globex")}, refused: true,
		},
		"one tenant that only customers-v2 names holds everybody": {
			v2: flags.Policy{Default: flags.New, Overrides: pinned(flags.RampDown, "acme")}, v3: everybodyAt(flags.Old),
			next: everybodyAt(flags.Dual), refused: true,
		},
		"unless it stays at old": {
			v2: flags.Policy{Default: flags.New, Overrides: pinned(flags.RampDown, "acme")}, v3: flags.Policy{Default: flags.Old, Overrides: pinned(flags.Old, "acme")},
			next: flags.Policy{Default: flags.Dual, Overrides: pinned(flags.Old, "acme")},
		},
		"a share of customers-v2 says nothing of who is in a share of customers-v3": {
			v2: flags.Policy{Default: flags.RampDown, Step: flags.Step{To: flags.New, Share: 9000}}, v3: everybodyAt(flags.Old),
			next: flags.Policy{Default: flags.Old, Step: flags.Step{To: flags.Dual, Share: 1}}, refused: true,
		},
		"a whole share is everybody": {
			v2: flags.Policy{Default: flags.RampDown, Step: flags.Step{To: flags.New, Share: flags.Buckets}}, v3: everybodyAt(flags.Old),
			next: flags.Policy{Default: flags.Old, Step: flags.Step{To: flags.Dual, Share: 1}},
		},
		"a share of customers-v3 may go on behind everybody": {
			v2: everybodyAt(flags.New), v3: everybodyAt(flags.Old),
			next: flags.Policy{Default: flags.Old, Step: flags.Step{To: flags.Dual, Share: 100}},
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			v2, v3 := chained(at(flags.New), laterAt(flags.Old))
			for s, p := range map[*control.State]flags.Policy{v2: c.v2, v3: c.v3} {
				p.Migration, p.Salt, p.Epoch = s.Migration.Name, s.Migration.Salt, s.Migration.Epoch
				s.Policies[0].Policy = p
			}
			assert.Equal(t, c.refused, len(control.Check(v3, c.next)) > 0, "%v", control.Check(v3, c.next))
		})
	}
}

func TestProcessThatDoesNotKnowTheNextVersionHoldsIt(t *testing.T) {
	t.Parallel()
	knows, doesNot := ledger.Process{Name: "shop", Host: "web-1", PID: 1, ID: [16]byte{1}, Epoch: 9}, ledger.Process{Name: "shop", Host: "web-2", PID: 2, ID: [16]byte{2}, Epoch: 9}
	v2, v3 := chained(at(flags.New), laterAt(flags.Old))
	v2.Processes, v3.Processes = []ledger.Process{knows, doesNot}, []ledger.Process{knows}
	blocks := control.Check(v3, everybodyAt(flags.Dual))
	require.Equal(t, []control.BlockKind{control.BlockChainFleet}, kinds(blocks))
	assert.True(t, blocks[0].Forcible)
	assert.Contains(t, blocks[0].Text, "shop[2]@web-2: acts on the migration before and does not know customers-v3")
	assert.Equal(t, []ledger.Process{doesNot}, blocks[0].Processes)
	v3.Policies[0].Default = flags.Dual
	assert.Empty(t, control.Check(v3, everybodyAt(flags.Old)), "the way down is free")
	v3.Policies[0].Default, v3.Processes = flags.Old, append(v3.Processes, doesNot)
	assert.Empty(t, control.Check(v3, everybodyAt(flags.Dual)))
}

// chainPlan says which version an operation reads, and which ones it writes, by the stages that it found at both migrations: a chain goes by the first
// migration, and by the second only at new of the first.
func chainPlan(two, three flags.Stage) (reads int, writes []int) {
	first, plan := 1, two.Plan()
	if two == flags.New {
		first, plan = 2, three.Plan()
	}
	reads = first + int(plan.Authority)
	if plan.WritesBoth {
		return reads, []int{first, first + 1}
	}
	return reads, []int{reads}
}

// Whatever is changed in whatever order at two migrations of one entity, and
// whoever is slow to follow: whoever reads a version finds there what everybody
// else writes. The search visits every state to which one tenant can come, with
// two older policies of each migration on which somebody acts at most.
func TestTwoMigrationsOfOneEntityNeverHideAWrite(t *testing.T) {
	t.Parallel()
	type ladder struct{ past, older, present flags.Stage } // 0: nobody acts on one
	type node struct{ two, three ladder }
	all := func(l ladder) []flags.Stage {
		return slices.DeleteFunc([]flags.Stage{l.past, l.older, l.present}, func(s flags.Stage) bool { return s == 0 })
	}
	state := func(make func(flags.Stage) *control.State, l ladder) *control.State {
		s := make(l.present)
		for i, stage := range []flags.Stage{l.older, l.past} {
			if stage == 0 {
				continue
			}
			before(s, int64(8-i), stage)
			s.Policies[0].Migration, s.Policies[0].Salt = s.Migration.Name, s.Migration.Salt
		}
		return s
	}
	steps := func(l ladder, s *control.State) (after []ladder) {
		for _, to := range flags.Stages() {
			if to != l.present && l.past == 0 && len(control.Check(s, everybodyAt(to))) == 0 {
				after = append(after, ladder{l.older, l.present, to})
			}
		}
		if l.past != 0 {
			after = append(after, ladder{0, l.older, l.present})
		}
		if l.older != 0 {
			after = append(after, ladder{0, l.past, l.present})
		}
		return after
	}
	first := node{ladder{present: flags.Old}, ladder{present: flags.Old}}
	seen := map[node]bool{first: true}
	for frontier := []node{first}; len(frontier) > 0; {
		var next []node
		visit := func(n node) {
			if !seen[n] {
				seen[n] = true
				next = append(next, n)
			}
		}
		for _, n := range frontier {
			for _, reader := range product(all(n.two), all(n.three)) {
				for _, writer := range product(all(n.two), all(n.three)) {
					reads, _ := chainPlan(reader[0], reader[1])
					_, writes := chainPlan(writer[0], writer[1])
					require.Contains(t, writes, reads, "%+v: who reads by %v misses what %v writes", n, reader, writer)
				}
			}
			v2, v3 := chained(state(at, n.two), state(laterAt, n.three))
			for _, l := range steps(n.two, v2) {
				visit(node{l, n.three})
			}
			for _, l := range steps(n.three, v3) {
				visit(node{n.two, l})
			}
		}
		frontier = next
	}
	pairs := map[[2]flags.Stage]bool{}
	for n := range seen {
		pairs[[2]flags.Stage{n.two.present, n.three.present}] = true
	}
	want := map[[2]flags.Stage]bool{}
	for _, stage := range flags.Stages() {
		want[[2]flags.Stage{stage, flags.Old}], want[[2]flags.Stage{flags.New, stage}] = true, true
	}
	assert.Equal(t, slices.Sorted(maps.Keys(named(want))), slices.Sorted(maps.Keys(named(pairs))), "where a tenant may stand")
}

func named(pairs map[[2]flags.Stage]bool) map[string]bool {
	all := map[string]bool{}
	for p := range pairs {
		all[fmt.Sprint(p)] = true
	}
	return all
}

func product(two, three []flags.Stage) (all [][2]flags.Stage) {
	for _, a := range two {
		for _, b := range three {
			all = append(all, [2]flags.Stage{a, b})
		}
	}
	return all
}

func (w *world) later() ledger.Migration {
	w.t.Helper()
	m, err := w.store.Register(w.t.Context(), versions.Migration{Name: later, Entity: "customers", From: "v2", To: "v3"}, "")
	require.NoError(w.t, err)
	return m
}

func TestChainHoldsInTheLedger(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.later()
	up := toDefault(flags.Dual)
	up.Migration = later
	var refused *control.StepError
	_, err := w.plane.Apply(t.Context(), up)
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, []control.BlockKind{control.BlockChainBelow}, kinds(refused.Blocks))

	w.climb(flags.New)
	_, err = w.plane.Apply(t.Context(), up)
	require.NoError(t, err)
	_, err = w.plane.Apply(t.Context(), toDefault(flags.RampDown))
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, []control.BlockKind{control.BlockChainAbove}, kinds(refused.Blocks))

	_, err = w.store.Register(t.Context(), versions.Migration{Name: "customers-v2-again", Entity: "customers", From: "v1", To: "v2"}, "")
	var chain *ledger.ChainError
	require.ErrorAs(t, err, &chain)
	assert.Equal(t, later, chain.Following)
	assert.ErrorContains(t, err, "customers-v3, which goes on from v2, has left old already")
}

// Two steps at once, each of which the other forbids: one of them is refused.
func TestStepsOfTwoMigrationsAtOnceDoNotPassEachOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.later()
	w.climb(flags.New)
	for range 20 {
		done := make(chan error, 2)
		for _, c := range []struct {
			migration string
			to        flags.Stage
		}{{name, flags.RampDown}, {later, flags.Dual}} {
			go func() {
				change := toDefault(c.to)
				change.Migration = c.migration
				_, err := w.plane.Apply(t.Context(), change)
				done <- err
			}()
		}
		errs := []error{<-done, <-done}
		if errs[0] != nil {
			errs[0], errs[1] = errs[1], errs[0]
		}
		require.NoError(t, errs[0])
		var refused *control.StepError
		require.ErrorAs(t, errs[1], &refused)
		for _, back := range []struct {
			migration string
			to        flags.Stage
		}{{name, flags.New}, {later, flags.Old}} {
			change := toDefault(back.to)
			change.Migration = back.migration
			_, err := w.plane.Apply(t.Context(), change)
			require.NoError(t, err)
		}
	}
}

// A tenant without rows skips no rung, and goes up both migrations for itself.
func TestOneTenantGoesUpBothMigrationsRungByRung(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.later()
	pin := func(migration string, to flags.Stage) error {
		_, err := w.plane.Apply(t.Context(), control.Change{
			Migration: migration, Kind: control.SetTenants, Tenants: []string{"fresh"}, To: to, Actor: "ann",
		})
		return err
	}
	refused := func(err error, kind control.BlockKind) {
		t.Helper()
		var step *control.StepError
		require.ErrorAs(t, err, &step)
		assert.Contains(t, kinds(step.Blocks), kind)
	}
	refused(pin(name, flags.New), control.BlockJump)
	for _, migration := range []string{name, later} {
		for _, to := range flags.Stages()[1:] {
			if migration == name {
				refused(pin(later, flags.Dual), control.BlockChainBelow)
			}
			require.NoError(t, pin(migration, to), "%s to %s", migration, to)
			if to == flags.Dual { // what a worker does, with nothing to copy
				w.exec(`update crossfade.tenant_states set backfilled_at = now(), verified_at = now() where tenant = 'fresh'`)
			}
		}
	}
	refused(pin(name, flags.RampDown), control.BlockChainAbove)
	for _, migration := range []string{name, later} {
		policy, err := w.store.Policy(t.Context(), migration)
		require.NoError(t, err)
		assert.Equal(t, flags.Old, policy.Default, "the others stay where they are")
		assert.Equal(t, map[string]flags.Stage{"fresh": flags.New}, policy.Overrides)
	}
}
