package peers_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/bench/peers"
)

func TestAnExperimentComparesWhatBothTablesHold(t *testing.T) {
	w := newWorld(t)
	w.exec("insert into v1.people select $1, i, 'Ada Lovelace' from generate_series(1, 10) i", tenant)
	w.exec("insert into people_v2 select $1, i, 'Ada', 'Lovelace' from generate_series(1, 9) i", tenant)
	var counts peers.Counts
	read := peers.ScientistRead(&counts, w.readOld(), w.readNew(), equal)
	for i := range 10 {
		require.NoError(t, read(t.Context(), i+1))
	}
	assert.EqualValues(t, 9, counts.Matched.Load())
	assert.EqualValues(t, 1, counts.Mismatched.Load(), "the candidate lacks a row")
	assert.Positive(t, counts.ControlNanos.Load())
	assert.Positive(t, counts.CandidateNanos.Load())
}

func TestAnExperimentReturnsTheControl(t *testing.T) {
	broken := errors.New("broken")
	works := func(_ context.Context, i int) (int, error) { return i, nil }
	fails := func(context.Context, int) (int, error) { return 0, broken }
	panics := func(context.Context, int) (int, error) { panic("no") }
	for _, tc := range []struct {
		promise            string
		control, candidate peers.Read[int]
		err                error
		matched            bool
	}{
		{"both alike", works, works, nil, true},
		{"an error of the candidate", works, fails, nil, false},
		{"a panic of the candidate", works, panics, nil, false},
		{"an error of the control", fails, works, broken, false},
		{"errors alike", fails, fails, broken, true},
	} {
		t.Run(tc.promise, func(t *testing.T) {
			var last peers.Result[int]
			e := peers.Experiment[int]{
				Control: tc.control, Candidate: tc.candidate,
				Same:    func(a, b int) bool { return a == b },
				Publish: func(r peers.Result[int]) { last = r },
			}
			for range 20 { // in either order
				value, err := e.Run(t.Context(), 7)
				require.ErrorIs(t, err, tc.err)
				if tc.err == nil {
					require.Equal(t, 7, value)
				}
				require.Equal(t, tc.matched, last.Matched)
			}
		})
	}
}

func TestAnExperimentRunsInRandomOrder(t *testing.T) {
	var order []string
	note := func(name string) peers.Read[int] {
		return func(context.Context, int) (int, error) { order = append(order, name); return 0, nil }
	}
	e := peers.Experiment[int]{Control: note("control"), Candidate: note("candidate"), Same: func(a, b int) bool { return a == b }}
	first := map[string]bool{}
	for range 200 {
		order = order[:0]
		_, err := e.Run(t.Context(), 0)
		require.NoError(t, err)
		require.Len(t, order, 2)
		first[order[0]] = true
	}
	assert.Equal(t, map[string]bool{"control": true, "candidate": true}, first)
}
