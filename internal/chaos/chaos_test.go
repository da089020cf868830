package chaos

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestNothingIsLostAmongProcessesThatDie is the attempt to refute the ladder.
func TestNothingIsLostAmongProcessesThatDie(t *testing.T) {
	p := whole(t)
	t.Logf("CROSSFADE_SEED=%d repeats the choices of this run, which takes %s", p.seed, p.length)
	w := newWorld(t, p)
	rounds := w.rounds()
	if !w.broken() {
		w.end()
	}
	t.Log(w.summary(rounds))
	require.False(t, w.broken(), "%s", lazy(w.report))
	if p.length >= 2*time.Minute {
		w.requireFaults()
	}
}

// requireFaults fails a run that was long enough, and in which nothing went
// wrong that could have refuted anything.
func (w *world) requireFaults() {
	for _, what := range []string{"operations", "kills", "stops", "cuts", "steps up", "steps down"} {
		require.Positive(w.t, w.counts[what], what)
	}
}

// rounds runs one after another until the time is over or something is wrong.
func (w *world) rounds() (rounds int) {
	said := w.began
	for (rounds == 0 || time.Since(w.began) < w.plan.length) && !w.broken() {
		w.round(rounds)
		rounds++
		if time.Since(said) >= 30*time.Second {
			w.t.Log(w.summary(rounds))
			said = time.Now()
		}
	}
	return rounds
}

// lazy is text that is made when it is printed.
type lazy func() string

func (l lazy) String() string { return l() }
