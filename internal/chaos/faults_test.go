package chaos

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/stretchr/testify/assert"
)

// fault does something to a place of the fleet, and undoes it. Where ctx ends
// it undoes it at once.
type fault func(ctx context.Context, w *world, p *process, random *rand.Rand)

// faultsOf are all faults, by their names in plans.
var faultsOf = map[string]fault{
	"kill":                kill,
	"kill operator":       kill,
	"stop":                stop(func(w *world) time.Duration { return w.plan.lease / 3 }, 0),
	"stop operator":       stop(func(w *world) time.Duration { return 2 * w.plan.lease }, 0),
	"stop past the lease": stop(func(w *world) time.Duration { return w.plan.lease }, 1),
	"long stop":           longStop,
	"cut":                 cut,
	"abandon":             abandon,
	"delay":               delay,
	"hold up":             holdUp,
	"terminate":           terminate,
	"crash":               crash,
}

// ofProcesses are those for which steps wait until a lease has run out. In some
// rounds there are none of them, so that the ladder is walked quickly.
var ofProcesses = map[string]bool{
	"kill": true, "kill operator": true, "stop": true, "stop operator": true, "stop past the lease": true, "long stop": true, "hold up": true,
}

var ofOperators = map[string]bool{"kill operator": true, "stop operator": true}

// sabotage does one thing after another until ctx ends, and returns when all
// is undone.
func (w *world) sabotage(ctx context.Context, round int) {
	random := w.random(streamFault + round)
	names := make([]string, 0, len(w.plan.faults))
	all := 0
	for name, weight := range w.plan.faults {
		names, all = append(names, name), all+weight
	}
	slices.Sort(names)
	quick := random.IntN(3) == 0
	var running sync.WaitGroup
	defer running.Wait()
	for all > 0 {
		if pause(ctx, time.Duration(random.Int64N(int64(2*w.plan.every)))); ctx.Err() != nil {
			return
		}
		n := random.IntN(all)
		var name string
		for _, name = range names {
			if n -= w.plan.faults[name]; n < 0 {
				break
			}
		}
		if quick && ofProcesses[name] {
			continue
		}
		places := w.applications
		switch {
		case ofOperators[name]:
			places = w.operators
		case random.IntN(6) == 0:
			places = w.places()
		}
		if len(places) == 0 {
			continue
		}
		p, own := places[random.IntN(len(places))], w.random(streamFault*(2+int(w.faults.Add(1)))) //nolint:gosec // few
		running.Go(func() { faultsOf[name](ctx, w, p, own) })
	}
}

func upTo(random *rand.Rand, d time.Duration) time.Duration {
	return time.Duration(random.Int64N(int64(d) + 1))
}

func kill(ctx context.Context, w *world, p *process, random *rand.Rand) {
	if !p.fault.TryLock() {
		return // something is being done to it
	}
	defer p.fault.Unlock()
	w.note("kill %s", p.settings.Name)
	w.count("kills")
	p.restart(ctx, upTo(random, 300*time.Millisecond))
}

// stop stops a process for some leases and up to so much longer.
func stop(longer func(*world) time.Duration, leases int) fault {
	return func(ctx context.Context, w *world, p *process, random *rand.Rand) {
		p.stop(ctx, time.Duration(leases)*w.plan.lease+upTo(random, longer(w)))
	}
}

func longStop(ctx context.Context, w *world, p *process, random *rand.Rand) {
	if w.longs.Add(1) == 1 && random.IntN(6) == 0 {
		w.count("long stops")
		p.stop(ctx, w.plan.longest/2+upTo(random, w.plan.longest/2))
	}
	w.longs.Add(-1)
}

func (p *process) stop(ctx context.Context, d time.Duration) {
	if !p.fault.TryLock() {
		return
	}
	defer p.fault.Unlock()
	p.world.note("%s stops for %s", p.settings.Name, d)
	p.world.count("stops")
	i := p.current()
	i.signal(syscall.SIGSTOP)
	pause(ctx, d)
	i.signal(syscall.SIGCONT)
	p.world.note("%s goes on", p.settings.Name)
}

func cut(_ context.Context, w *world, p *process, random *rand.Rand) {
	n := p.current().proxy.CutSome(some(random))
	w.note("cut %d connections of %s", n, p.settings.Name)
	w.add("cuts", n)
}

// abandon ends connections for the process only: what it sent still arrives.
func abandon(_ context.Context, w *world, p *process, random *rand.Rand) {
	n := p.current().proxy.Abandon(some(random))
	w.note("cut %d connections of %s, bytes on their way arrive", n, p.settings.Name)
	w.add("cuts", n)
}

// some chooses all connections or a few.
func some(random *rand.Rand) func() bool {
	few := 1 + random.IntN(5)
	return func() bool { return random.IntN(few) == 0 }
}

func delay(ctx context.Context, w *world, p *process, random *rand.Rand) {
	way, d := p.current().proxy, time.Millisecond+upTo(random, 40*time.Millisecond)
	w.note("delay the bytes of %s by %s", p.settings.Name, d)
	w.count("delays")
	way.Delay(d)
	pause(ctx, upTo(random, 2*time.Second))
	way.Delay(0)
}

// holdUp keeps all bytes of a process for a while, also past its lease or its end.
func holdUp(ctx context.Context, w *world, p *process, random *rand.Rand) {
	i, d := p.current(), upTo(random, w.plan.lease/3)
	if random.IntN(3) == 0 {
		d += w.plan.lease
	}
	w.note("hold up the bytes of %s for %s", p.settings.Name, d)
	w.count("delays")
	w.count("hold-ups")
	i.proxy.Hold()
	if random.IntN(4) == 0 {
		pause(ctx, d/2)
		kill(ctx, w, p, random)
	}
	pause(ctx, d)
	i.proxy.Release()
	w.note("let the bytes of %s go", p.settings.Name)
}

func terminate(ctx context.Context, w *world, _ *process, _ *rand.Rand) {
	const one = `select pg_terminate_backend(pid) from (
		select pid from pg_stat_activity where datname = current_database() and application_name <> 'keeper' order by random() limit 1) one`
	if tag, err := w.keeper.Exec(ctx, one); err == nil && tag.RowsAffected() > 0 {
		w.note("terminate a backend")
		w.count("terminated backends")
	}
}

// crash stops the server as a crash would, and starts it again.
func crash(_ context.Context, w *world, _ *process, _ *rand.Rand) {
	w.note("crash the server")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := w.server.Stop(ctx, "immediate"); !assert.NoError(w.t, err) {
		return
	}
	for err := w.server.Start(ctx); err != nil; err = w.server.Start(ctx) {
		if ctx.Err() != nil {
			assert.NoError(w.t, err)
			return
		}
		pause(ctx, 50*time.Millisecond) // a backend of the old one may not have ended yet
	}
	w.count("server restarts")
	w.note("the server is back")
}
