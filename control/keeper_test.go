package control_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

const (
	records = 1
	refuses = 2
)

// captured is a side whose capture stands, in a mode that nobody is left before.
func captured(side flags.Side, mode int64) func(*control.State) {
	return func(s *control.State) {
		s.Capture[side] = ledger.CaptureState{Installed: true, Complete: true, Mode: mode, Drained: true}
	}
}

// says changes what the policy in force says to hold.
func says(mutate func(*flags.Standing)) func(*control.State) {
	return func(s *control.State) { mutate(&s.Policies[len(s.Policies)-1].Standing) }
}

func isClean(s *flags.Standing) { s.Clean = true }

func standingOf(t *testing.T, s *control.State, next flags.Policy) flags.Standing {
	t.Helper()
	got, err := control.StandingOf(s, next)
	require.NoError(t, err)
	return got
}

func dueOf(t *testing.T, s *control.State) (flags.Standing, []flags.Side) {
	t.Helper()
	standing, sides, err := control.DueOf(s)
	require.NoError(t, err)
	return standing, sides
}

func with(s *control.State, mutations ...func(*control.State)) *control.State {
	for _, m := range mutations {
		m(s)
	}
	return s
}

func TestCleanIsSaidOnlyWhereNoKeyOfALiveTenantCanBeStale(t *testing.T) {
	t.Parallel()
	live := flags.Policy{Default: flags.Live}
	pinned := func(stage flags.Stage) flags.Policy {
		return flags.Policy{Default: flags.Live, Overrides: map[string]flags.Stage{"acme": stage}}
	}
	mixed := func(s *control.State) {
		p := &s.Policies[len(s.Policies)-1].Policy
		p.Overrides = map[string]flags.Stage{"acme": flags.Shadow}
	}
	for _, c := range []struct {
		promise string
		state   *control.State
		next    flags.Policy
		want    bool
	}{
		{"settled at live", at(flags.Live), live, true},
		{"not on the way there", at(flags.Shadow), live, false},
		{"nor for one tenant who comes", at(flags.Shadow), flags.Policy{Default: flags.Shadow, Overrides: map[string]flags.Stage{"acme": flags.Live}}, false},
		{"an older policy is neither acknowledged nor drained", before(at(flags.Live), 8, flags.Shadow), live, false},
		{"drained is not enough", before(at(flags.Live), 8, flags.Shadow, drained), live, false},
		{"nor is acknowledged", before(at(flags.Live), 8, flags.Shadow, acknowledged), live, false},
		{"both are", before(at(flags.Live), 8, flags.Shadow, drained, acknowledged), live, true},
		{"an older policy that has everybody at live as well", before(at(flags.Live), 8, flags.Live), live, true},
		{"a stale key of the new side", with(at(flags.Live), stale("acme", flags.NewSide)), live, false},
		{"a stale key of the old side does not matter", with(at(flags.Live), stale("acme", flags.OldSide)), live, true},
		{"a stale key of who stands lower", with(at(flags.Live), mixed, stale("acme", flags.NewSide)), pinned(flags.Shadow), true},
		{"and of who comes from there", with(at(flags.Live), mixed), live, false},
		{"another tenant's step", with(at(flags.Live), mixed), pinned(flags.Dual), true},
		{"nobody is at live", at(flags.RampDown), flags.Policy{Default: flags.RampDown}, false},
		{"capture of the old side records", with(at(flags.Live), captured(flags.OldSide, records)), live, false},
		{"capture of the old side refuses", with(at(flags.Live), captured(flags.OldSide, refuses)), live, true},
		{
			"a share of the keys is at shadow: writes of several keys go there",
			at(flags.Live),
			flags.Policy{Default: flags.Live, Step: flags.Step{To: flags.Shadow, Share: 100, Of: flags.OfKeys}},
			false,
		},
		{"a share of the tenants comes from shadow", at(flags.Shadow), flags.Policy{Default: flags.Shadow, Step: flags.Step{To: flags.Live, Share: 100}}, false},
	} {
		assert.Equal(t, c.want, standingOf(t, c.state, c.next).Clean, c.promise)
	}
}

func TestACleanPolicyIsFollowedByAStrictShadowUntilItsReadersAreGone(t *testing.T) {
	t.Parallel()
	down := flags.Policy{Default: flags.Shadow}
	assert.False(t, standingOf(t, at(flags.Live), down).StrictShadow, "nobody ever skipped the look-up")
	clean := with(at(flags.Live), says(isClean))
	assert.True(t, standingOf(t, clean, down).StrictShadow)
	assert.False(t, standingOf(t, clean, down).Clean)
	one := flags.Policy{Default: flags.Live, Overrides: map[string]flags.Stage{"acme": flags.Shadow}}
	assert.Equal(t, flags.Standing{Clean: true, StrictShadow: true}, standingOf(t, clean, one), "the others stay clean")
	someKeys := flags.Policy{Default: flags.Live, Step: flags.Step{To: flags.Shadow, Share: 1, Of: flags.OfKeys}}
	assert.Equal(t, flags.Standing{StrictShadow: true}, standingOf(t, clean, someKeys))
	assert.False(t, standingOf(t, clean, flags.Policy{Default: flags.RampDown}).StrictShadow)

	after := func(mutate ...func(*ledger.PolicyState)) *control.State {
		older := append([]func(*ledger.PolicyState){func(p *ledger.PolicyState) { p.Clean = true }}, mutate...)
		return with(before(at(flags.Shadow), 8, flags.Live, older...), says(func(s *flags.Standing) { s.StrictShadow = true }))
	}
	for _, c := range []struct {
		state *control.State
		want  bool
	}{
		{after(), true},
		{after(drained), true},
		{after(acknowledged), true},
		{after(drained, acknowledged), false},
	} {
		got, _ := dueOf(t, c.state)
		assert.Equal(t, c.want, got.StrictShadow, "strict until the clean policy is drained and acknowledged")
		assert.Equal(t, c.want, standingOf(t, c.state, down).StrictShadow, "whoever publishes next")
	}
}

func TestWritesRunUnfencedOnlyWhereEverybodyStandsThereAndCaptureRecords(t *testing.T) {
	t.Parallel()
	broken := func(side flags.Side) func(*control.State) {
		return func(s *control.State) { s.Capture[side].Broken = []string{"public.customers_2027"} }
	}
	leaving := func(side flags.Side) func(*control.State) {
		return func(s *control.State) { s.Capture[side].Leaving = true }
	}
	undeclared := func(side flags.Side) func(*control.State) {
		return func(s *control.State) { s.Capture[side].Complete = false }
	}
	for stage, side := range map[flags.Stage]flags.Side{flags.Old: flags.OldSide, flags.New: flags.NewSide} {
		next := flags.Policy{Default: stage}
		neighbour := stage.Toward(flags.Shadow)
		want := flags.Standing{UnfencedOld: stage == flags.Old, UnfencedNew: stage == flags.New}
		for _, c := range []struct {
			promise string
			state   *control.State
			next    flags.Policy
			want    flags.Standing
		}{
			{"with capture", with(at(stage), captured(side, records)), next, want},
			{"without capture", at(stage), next, flags.Standing{}},
			{"with that of the other side", with(at(stage), captured(side.Other(), records)), next, flags.Standing{}},
			{"while it refuses", with(at(stage), captured(side, refuses)), next, flags.Standing{}},
			{"with a partition without triggers", with(at(stage), captured(side, records), broken(side)), next, flags.Standing{}},
			{"where nobody said that it captures all tables", with(at(stage), captured(side, records), undeclared(side)), next, flags.Standing{}},
			{"while it is being removed", with(at(stage), captured(side, records), leaving(side)), next, flags.Standing{}},
			{"on the way there", with(at(neighbour), captured(side, records)), next, flags.Standing{}},
			{"on the way out", with(at(stage), captured(side, records)), flags.Policy{Default: neighbour}, flags.Standing{}},
			{"before everybody is there", with(before(at(stage), 8, neighbour), captured(side, records)), next, flags.Standing{}},
			{"when everybody is", with(before(at(stage), 8, neighbour, drained, acknowledged), captured(side, records)), next, want},
			{
				"with one tenant elsewhere", with(at(stage), captured(side, records)),
				flags.Policy{Default: stage, Overrides: map[string]flags.Stage{"acme": neighbour}},
				flags.Standing{},
			},
		} {
			assert.Equal(t, c.want, standingOf(t, c.state, c.next), "%s %s", stage, c.promise)
		}
	}
}

func TestCaptureRecordsAndRefusesAsTheLadderWantsIt(t *testing.T) {
	t.Parallel()
	both := func(s *control.State) {
		captured(flags.OldSide, records)(s)
		captured(flags.NewSide, records)(s)
	}
	for _, c := range []struct {
		promise string
		state   *control.State
		refuse  []flags.Side
	}{
		{"the old side records up to shadow", at(flags.Old), []flags.Side{flags.NewSide}},
		{"also at dual", at(flags.Dual), []flags.Side{flags.NewSide}},
		{"also at shadow", at(flags.Shadow), []flags.Side{flags.NewSide}},
		{"and refuses at live, where the new side records", at(flags.Live), []flags.Side{flags.OldSide}},
		{"also at new", at(flags.New), []flags.Side{flags.OldSide}},
		{"nobody records while live is not drained of shadow", before(at(flags.Live), 8, flags.Shadow), []flags.Side{flags.OldSide, flags.NewSide}},
		{"nor while shadow is not drained of live", before(at(flags.Shadow), 8, flags.Live, drained), []flags.Side{flags.OldSide, flags.NewSide}},
		{"stale keys keep the new side from recording", with(at(flags.Live), stale("acme", flags.NewSide)), []flags.Side{flags.OldSide, flags.NewSide}},
		{"one tenant at live is enough", with(at(flags.Dual), func(s *control.State) {
			s.Policies[0].Overrides = map[string]flags.Stage{"acme": flags.Live}
		}), []flags.Side{flags.OldSide, flags.NewSide}},
	} {
		_, sides := dueOf(t, with(c.state, both))
		assert.Equal(t, c.refuse, sides, c.promise)
		for _, side := range c.refuse {
			captured(side, refuses)(c.state)
		}
		_, sides = dueOf(t, c.state)
		assert.Empty(t, sides, "%s: then nothing is left to switch", c.promise)
	}
	relying := with(at(flags.Old), captured(flags.OldSide, refuses), says(func(s *flags.Standing) { s.UnfencedOld = true }))
	standing, sides := dueOf(t, relying)
	assert.False(t, standing.UnfencedOld, "first the policy")
	assert.Empty(t, sides, "then the mode")
}

func TestUntilItIsSettledTheKeeperOnlyTakesAway(t *testing.T) {
	t.Parallel()
	open := before(at(flags.Live), 8, flags.Live)
	got, _ := dueOf(t, open)
	assert.False(t, got.Clean)
	got, _ = dueOf(t, with(open, says(isClean), stale("acme", flags.NewSide)))
	assert.False(t, got.Clean, "a stale key takes it away at once")
	lost := at(flags.Live)
	lost.Processes = []ledger.Process{{Name: "shop", Unknown: true}}
	got, _ = dueOf(t, lost)
	assert.False(t, got.Clean, "somebody acts on a policy that nobody knows")
	back := with(at(flags.Live), says(isClean))
	before(back, 8, flags.Shadow, drained, acknowledged)
	back.Processes = []ledger.Process{{Name: "shop", Epoch: 8}}
	got, _ = dueOf(t, back)
	assert.True(t, got.Clean, "a process that comes back from beyond its lease makes nothing flap")
}

func TestKeeperPublishesOnceAndSaysWhy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.join(control.MemberConfig{})
	w.climb(flags.Shadow)
	r := w.step(toDefault(flags.Live))
	assert.False(t, r.After.Clean, "the step itself says nothing of the kind")
	assert.True(t, r.Settled)
	p := w.inForce()
	assert.True(t, p.Clean)
	assert.Equal(t, r.After.Epoch+1, p.Epoch)
	assert.Equal(t, flags.Live, p.Default)
	eventually(t, func() bool {
		d, err := m.Flag(name).Peek(flags.Subject{Tenant: "acme"})
		return err == nil && d.Clean
	}, "and the fleet gets it")
	for range 3 {
		require.NoError(t, w.plane.Keep(t.Context(), name))
		_, err := w.plane.Settle(t.Context(), name, nil)
		require.NoError(t, err)
	}
	assert.Equal(t, p, w.inForce(), "nothing changes, nothing is published")
	history, err := w.store.History(t.Context(), name, ledger.HistoryFilter{Limit: 1})
	require.NoError(t, err)
	assert.Equal(t, ledger.KindPublish, history[0].Kind)
	assert.Equal(t, "crossfade", history[0].Actor)
	assert.Equal(t, "from nothing said to clean", history[0].Change())
	assert.Contains(t, history[0].Reason, "reads need not look")

	var strict []bool
	down := toDefault(flags.Shadow)
	down.Report = func(p control.Progress) {
		if p.Kind == control.Committed || p.Kind == control.Published {
			strict = append(strict, w.inForce().StrictShadow)
		}
	}
	down.ExpectEpoch = r.After.Epoch
	r = w.step(down)
	assert.True(t, r.After.StrictShadow, "with the step, from the policy that somebody saw before the keeper's")
	assert.Equal(t, []bool{true, false}, strict)
	assert.Equal(t, flags.Standing{}, w.inForce().Standing)
}

func TestOfManyKeepersOnePublishes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.climb(flags.Shadow)
	w.exec(`insert into crossfade.stale_keys (migration_id, tenant, side, key, epoch, cause) select id, 'acme', 'new', '*', 1, 'test' from crossfade.migrations`)
	w.step(toDefault(flags.Live))
	assert.False(t, w.inForce().Clean, "a record of a whole tenant")
	epoch := w.inForce().Epoch
	w.exec(`delete from crossfade.stale_keys`)
	done := make(chan error)
	const keepers = 8
	for range keepers {
		go func() { done <- w.plane.Keep(t.Context(), name) }()
	}
	for range keepers {
		require.NoError(t, <-done)
	}
	assert.True(t, w.inForce().Clean)
	assert.Equal(t, epoch+1, w.inForce().Epoch)
}
