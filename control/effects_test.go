package control

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// effectsOf returns the effects of a step of everybody between two policies.
func effectsOf(t *testing.T, from, to flags.Policy, mutate func(*State)) (ledger.Effects, []string) {
	t.Helper()
	from.Migration, from.Epoch = "m", 5
	s := &State{Migration: ledger.Migration{Salt: "m"}, Policies: []ledger.PolicyState{{Policy: from}}}
	s.Migration.Name = "m"
	if mutate != nil {
		mutate(s)
	}
	l, err := newLook(s, to)
	require.NoError(t, err)
	return l.effects(), l.notes()
}

func TestWhereOneSideIsNotWrittenNothingIsBackfilled(t *testing.T) {
	t.Parallel()
	whole := []string{""}
	for _, c := range []struct {
		from, to              flags.Stage
		notCopied, incomplete []string
		note                  string
	}{
		{flags.Old, flags.Dual, whole, nil, ""},
		{flags.Dual, flags.Shadow, nil, nil, ""},
		{flags.Shadow, flags.Live, nil, nil, ""},
		{flags.Live, flags.RampDown, nil, nil, ""},
		{flags.RampDown, flags.New, whole, whole, "point of no return"},
		{flags.New, flags.RampDown, whole, nil, "only after a reverse backfill"},
		{flags.RampDown, flags.Live, nil, nil, ""},
		{flags.Live, flags.Shadow, nil, nil, ""},
		{flags.Shadow, flags.Dual, nil, nil, ""},
		{flags.Dual, flags.Old, whole, nil, "backfill counts no more"},
	} {
		e, notes := effectsOf(t, flags.Policy{Default: c.from}, flags.Policy{Default: c.to}, nil)
		assert.Equal(t, c.notCopied, e.NotCopied, "%s to %s", c.from, c.to)
		assert.Equal(t, c.incomplete, e.OldIncomplete, "%s to %s", c.from, c.to)
		notes = slices.DeleteFunc(notes, func(n string) bool { return strings.HasPrefix(n, "capture does not watch") })
		if c.note == "" {
			assert.Empty(t, notes)
		} else {
			require.Len(t, notes, 1)
			assert.Contains(t, notes[0], c.note)
		}
	}
}

func TestEffectsReachWhoMovesAndNobodyElse(t *testing.T) {
	t.Parallel()
	known := func(s *State) {
		s.Tenants = map[string]ledger.TenantState{"acme": {}, "own": {}}
		s.Noted = []string{"noted"}
		s.Stale = []ledger.StaleCount{{Tenant: "stale", Keys: 1}}
	}
	stay := map[string]flags.Stage{"pinned": flags.Dual, "own": flags.Dual}
	e, _ := effectsOf(t, flags.Policy{Default: flags.Dual, Overrides: stay}, flags.Policy{Default: flags.Old, Overrides: stay}, known)
	assert.Equal(t, []string{"", "acme", "stale"}, e.NotCopied)
	assert.Equal(t, []string{"", "acme", "stale", "noted"}, e.Forget)
	assert.Equal(t, []string{"pinned"}, e.Keep, "who stays keeps what was true of all, in a state of its own")

	one := flags.Policy{Default: flags.RampDown, Overrides: map[string]flags.Stage{"acme": flags.New}}
	e, _ = effectsOf(t, flags.Policy{Default: flags.RampDown}, one, known)
	assert.Equal(t, ledger.Effects{NotCopied: []string{"acme"}, OldIncomplete: []string{"acme"}, Forget: []string{"acme"}}, e)

	share := flags.Policy{Default: flags.RampDown, Step: flags.Step{To: flags.New, Share: 1}}
	e, _ = effectsOf(t, flags.Policy{Default: flags.RampDown}, share, nil)
	assert.Equal(t, []string{""}, e.OldIncomplete, "some tenant without a name may be among them")
	e, _ = effectsOf(t, share, share, nil)
	assert.True(t, e.None())
}

func TestLaterEffectsOfTwoRangesAreNotLost(t *testing.T) {
	t.Parallel()
	// One range goes from dual to old, the other from rampdown to new. No
	// single change can do that; the effects do not rely on it.
	from := flags.Policy{Default: flags.RampDown, Overrides: map[string]flags.Stage{"a": flags.Dual}}
	to := flags.Policy{Default: flags.New, Overrides: map[string]flags.Stage{"a": flags.Old}}
	e, _ := effectsOf(t, from, to, nil)
	assert.Equal(t, []string{"", "a"}, e.NotCopied)
	assert.Equal(t, []string{""}, e.OldIncomplete)
}

func TestDurationsAreShort(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "0s", short(-time.Second))
	assert.Equal(t, "1.2s", short(1234*time.Millisecond))
	assert.Equal(t, "1h0m1s", short(time.Hour+1234*time.Millisecond))
}
