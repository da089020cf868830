package crossfadetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
)

// EnvSeed is the environment variable that repeats the choices of a
// [MixedFleet].
const EnvSeed = "CROSSFADE_SEED"

// settleTimeout bounds how long a step waits for calls under way; it is given
// up then, and tried again later.
const settleTimeout = 5 * time.Second

// MixedFleet runs a test over n instances of the application on one database,
// call by call: App.Spread sends each call of R to an instance that is drawn.
// It does so once for each pair of adjacent rungs, as a subtest, on a database
// of its own: between two calls the migration steps up to the upper rung or
// down to the lower one, and instances take the new policy up one by one, so
// that some act at one rung while others act at the other. The instances, the
// steps and what each waits for are real; only the moment at which an instance
// hears of a step is drawn.
//
// The test is the user's own, and need not know about stages. It may call from
// several goroutines. What it opens by itself (a transaction over one instance)
// delays steps, and is not spread. Mismatches fail the test, and so do sides
// that differ at its end.
//
// The choices follow from a seed, which is logged; [EnvSeed] repeats them as
// far as the test itself makes the same calls in the same order.
func MixedFleet[R any](t *testing.T, app App[R], n int, test func(t *testing.T, r R)) {
	t.Helper()
	if app.Spread == nil || n < 2 {
		t.Fatalf("crossfadetest: a mixed fleet needs App.Spread, such as the one of the generated package, and two instances or more")
	}
	seed := seedOf(t)
	t.Logf("%s=%d repeats the choices of this run", EnvSeed, seed)
	stages := flags.Stages()
	for i, lower := range stages[:len(stages)-1] {
		upper := stages[i+1]
		t.Run(lower.String()+"-"+upper.String(), func(t *testing.T) {
			dsn, operator := app.database(t)
			f := &fleet[R]{
				operator: operator, rungs: [2]flags.Stage{lower, upper},
				random: rand.New(rand.NewPCG(seed, uint64(lower))), //nolint:gosec // not a secret
			}
			for i := range n {
				f.instances = append(f.instances, app.start(t, dsn, app.deaf(i)))
			}
			f.served = make([]int, n)
			operator.workers = func() []*backfill.Worker { return f.instances[0].workers }
			operator.hear = f.hear
			app.seed(t, f.instances[0].repositories)
			if err := operator.climb(t.Context(), lower); err != nil {
				t.Fatalf("crossfadetest: %v", err)
			}
			t.Cleanup(func() { f.end(t) })
			test(t, app.Spread(f.pick))
		})
	}
}

func seedOf(t testing.TB) uint64 {
	text := os.Getenv(EnvSeed)
	if text == "" {
		return rand.Uint64()
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("crossfadetest: %s: %v", EnvSeed, err)
	}
	return seed
}

// deaf says how an instance takes part that hears of a policy when the fleet
// says so, or when the fence refuses it: it neither listens nor polls in the
// time of a test.
func (a *App[R]) deaf(i int) control.MemberConfig {
	cfg := a.member(fmt.Sprintf("crossfadetest %d", i))
	cfg.NoListen, cfg.Interval, cfg.LeaseTTL, cfg.Timeout = true, time.Hour, 3*time.Hour, closeTimeout
	return cfg
}

// fleet is the instances of one subtest.
type fleet[R any] struct {
	operator  *operator
	rungs     [2]flags.Stage
	instances []*instance[R]

	mu       sync.Mutex // a call waits while another one's step is taken
	random   *rand.Rand
	at       int // index of the rung in force
	up, down int // steps taken
	put      int // steps put off
	served   []int
	broken   error
}

// pick is called before each call of the test: something happens now and then,
// and an instance is drawn.
func (f *fleet[R]) pick() R {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken == nil {
		f.happen()
	}
	i := f.random.IntN(len(f.instances))
	f.served[i]++
	return f.instances[i].repositories
}

func (f *fleet[R]) happen() {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	switch what := f.random.IntN(4); {
	case what == 0 || f.up == 0:
		f.broken = f.step(ctx)
	case what == 1:
		f.broken = f.instances[f.random.IntN(len(f.instances))].hear(ctx)
	}
	if f.broken != nil {
		f.operator.t.Errorf("crossfadetest: between two calls: %v", f.broken)
	}
}

// step moves everybody to the other rung, without telling any instance.
func (f *fleet[R]) step(ctx context.Context) error {
	to := f.rungs[1-f.at]
	for range maxTries {
		_, err := f.operator.plane.Apply(ctx, control.Change{
			Migration: f.operator.migration, Kind: control.SetDefault, To: to, Actor: actor, Reason: "a test", NoWait: true,
		})
		if err == nil {
			f.at = 1 - f.at
			if f.at == 1 {
				f.up++
			} else {
				f.down++
			}
			return nil
		}
		var refused *control.StepError
		if !errors.As(err, &refused) {
			return fmt.Errorf("step to %s: %w", to, err)
		}
		if err = f.settle(ctx); errors.Is(err, context.DeadlineExceeded) {
			f.put++ // a transaction of the test's is open
			return nil
		}
		if err == nil && !refused.Passes() {
			err = f.operator.prepare(ctx, refused)
		}
		if err != nil {
			return fmt.Errorf("step to %s: %w", to, err)
		}
	}
	f.put++
	return nil
}

// settle waits until all instances act on the policy, and no call on another.
func (f *fleet[R]) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	return f.operator.settle(ctx)
}

// hear has all instances hear of the policy in force.
func (f *fleet[R]) hear(ctx context.Context) error {
	for _, i := range f.instances {
		if err := i.hear(ctx); err != nil {
			return err
		}
	}
	return nil
}

// hear has a process take the policy in force up, and tell the ledger.
func (e *Env) hear(ctx context.Context) error {
	subject := flags.Subject{Tenant: "crossfadetest"}
	decision, err := e.Flag.Peek(subject)
	if err == nil {
		err = e.Flag.Refused(ctx, subject, decision) // which fetches
	}
	if err == nil {
		err = e.Member.Acknowledge(ctx)
	}
	if err != nil {
		return fmt.Errorf("take the policy in force up: %w", err)
	}
	return nil
}

// end compares what the test left behind, and tells what happened.
func (f *fleet[R]) end(t testing.TB) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	var served []string
	for _, calls := range f.served {
		served = append(served, strconv.Itoa(calls))
	}
	t.Logf("%d steps up and %d down, %d put off; calls by instance: %s", f.up, f.down, f.put, strings.Join(served, ", "))
	if f.broken != nil || !f.rungs[f.at].Plan().WritesBoth {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := f.settle(ctx); err != nil {
		t.Errorf("crossfadetest: after the test: %v", err)
		return
	}
	f.operator.compareAfter(t)
}
