package postgres_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
)

// gauge notes what a meter is told of calls.
type gauge struct {
	mu    sync.Mutex
	calls []string
}

func (g *gauge) Called(c repo.Called) {
	g.mu.Lock()
	defer g.mu.Unlock()
	text := c.Side.String()
	if c.Served {
		text += " served"
	}
	if c.Failed {
		text += " failed"
	}
	g.calls = append(g.calls, text)
}

func (g *gauge) Compared(string, string, repo.Outcome) {}

// Guardrails act on these counts: a write that ran twice, in a queue and then
// without, is one write, and what a run came to that does not count is nothing.
func TestWriteThatRunsTwiceIsCountedOnce(t *testing.T) {
	good := func(ctx context.Context, side *table, n note) error { return side.Save(ctx, tenant, n) }
	bad := func(ctx context.Context, side *table, _ note) error {
		return later(ctx, side.db, "select 1 / $1::int", 0)
	}
	badAsked := func(ctx context.Context, side *table, n note) error {
		if err := later(ctx, side.db, "select 1 / $1::int", 0); err != nil {
			return err
		}
		_, err := side.Get(ctx, tenant, n.ID)
		return err
	}
	gone := func(ctx context.Context, side *table, _ note) error {
		return later(ctx, side.db, "insert into nowhere values (1)")
	}
	asked := func(ctx context.Context, side *table, n note) error { return side.See(ctx, tenant, n.ID) }
	type save = func(context.Context, *table, note) error
	for what, tc := range map[string]struct {
		stages           []flags.Stage
		authority, other save
		step             bool // a new policy has come into force
		want             []string
		stats            repo.Stats
	}{
		"all goes well":              {stages: both, authority: good, other: good, want: []string{"N", "A served"}},
		"the authority asks":         {stages: both, authority: asked, other: good, want: []string{"A served", "N"}},
		"both ask":                   {stages: both, authority: asked, other: asked, want: []string{"A served", "N"}},
		"the authority fails":        {stages: both, authority: bad, other: good, want: []string{"A served failed"}},
		"the authority fails, asked": {stages: both, authority: badAsked, other: good, want: []string{"A served failed"}},
		"the other side fails":       {stages: lenient, authority: good, other: bad, want: []string{"A served", "N failed"}, stats: repo.Stats{StaleRecorded: 1}},
		"the other side fails at live": {
			stages: []flags.Stage{flags.Live}, authority: good, other: bad, want: []string{"A served", "N failed"},
		},
		"the other side fails, asked": {stages: lenient, authority: asked, other: badAsked, want: []string{"A served", "N failed"}, stats: repo.Stats{StaleRecorded: 1}},
		"a table is gone":             {stages: lenient, authority: good, other: gone, want: []string{"A served", "N failed"}, stats: repo.Stats{StaleRecorded: 1}},
		"a table is gone, asked":      {stages: lenient, authority: asked, other: gone, want: []string{"A served", "N failed"}, stats: repo.Stats{StaleRecorded: 1}},
		"a table is gone at live":     {stages: []flags.Stage{flags.Live}, authority: asked, other: gone, want: []string{"A served", "N failed"}},
		"refused":                     {stages: both, authority: good, other: good, step: true, want: []string{"N", "A served"}, stats: repo.Stats{Refused: 1}},
		"refused, asked":              {stages: both, authority: asked, other: asked, step: true, want: []string{"A served", "N"}, stats: repo.Stats{Refused: 1}},
	} {
		for _, stage := range tc.stages {
			t.Run(what+" at "+stage.String(), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, stage, nil)
				require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
				g := &gauge{}
				if stage.Plan().Authority == flags.OldSide {
					w.route(saves(plainV1, tc.authority), saves(plainV2, tc.other), g)
				} else {
					w.route(saves(plainV1, tc.other), saves(plainV2, tc.authority), g)
				}
				if tc.step {
					w.publish(stage)
				}
				_ = w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "two"})
				want := make([]string, 0, 2)
				for _, text := range tc.want {
					side := stage.Plan().Authority
					if text[0] == 'N' {
						side = side.Other()
					}
					want = append(want, side.String()+text[1:])
				}
				assert.ElementsMatch(t, want, g.calls)
				assert.Equal(t, tc.stats, w.notes.route.Stats())
			})
		}
	}
}

// The same for a locking read.
func TestLockingReadThatIsRefusedIsCountedOnce(t *testing.T) {
	for _, stage := range flags.Stages() {
		w := newWorld(t, stage, nil)
		require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
		g := &gauge{}
		w.route(plainV1, plainV2, g)
		w.publish(stage)
		_, err := w.notes.Lock(t.Context(), tenant, 1)
		require.NoError(t, err)
		assert.Equal(t, []string{stage.Plan().Authority.String() + " served"}, g.calls)
	}
}
