package chaos

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/crossfade-db/crossfade/internal/accounts"
)

// client asks one place of the fleet, one operation at a time.
type client struct {
	world   *world
	process *process
	number  int
	random  *rand.Rand
	history *accounts.History
	made    *accounts.Made
}

// run does some operations, now and then several under one pin, as a user's
// request would.
func (c *client) run(turns int) {
	for done := 0; done < turns || c.world.longs.Load() > 0 && done < 5*turns; {
		r, more := request{}, 1
		if c.random.IntN(4) == 0 {
			r.Pin, more = c.world.pins.Add(1), 1+c.random.IntN(4)
		}
		for k := range more {
			r.Last = k == more-1
			c.turn(r)
			done++
			if done > turns { // somebody sleeps for long
				pause(context.Background(), 300*time.Millisecond)
			}
		}
	}
}

// turn is one operation.
func (c *client) turn(r request) {
	o := c.world.plan.mix.Pick(c.random)
	if o.Name == "insert" && !c.made.Attempt() {
		return
	}
	r.Op, r.What, r.Seed = c.world.ops.Add(1), o.Name, c.world.plan.seed
	r.Tenant = accounts.Tenants[c.random.IntN(len(accounts.Tenants))]
	r.Keys, r.Made, r.Outside = c.world.plan.keys, c.made.Of(r.Tenant), c.world.plan.outside > 0
	c.spoil(&r, o)
	e := &accounts.Event{Client: c.number, Op: r.Op, Tenant: r.Tenant, What: o.Name, Call: c.world.now()}
	i := c.process.current()
	waiting, err := i.send(r)
	if err != nil {
		pause(context.Background(), 20*time.Millisecond) // the next one is on its way
		return
	}
	got := c.await(i, waiting, r.Op)
	e.End = c.world.now()
	if got == nil {
		e.Lost, e.Outcome, e.Err = true, accounts.Unknown, errGone.Error()
	} else {
		e.Stage, e.Answer = got.Stage, got.Answer
	}
	if e.Outcome == accounts.Failed && strings.Contains(e.Err, "connect") {
		pause(context.Background(), 50*time.Millisecond) // there may be no server at the moment
	}
	c.made.Add(e.Tenant, e.Acts)
	c.history.Add(e)
}

// await returns the answer, or nil where the process ended first.
func (c *client) await(i *incarnation, waiting *wait, op int64) *answer {
	select {
	case got := <-waiting.answer:
		return got
	case <-waiting.holding:
	}
	c.late(i, op)
	return <-waiting.answer
}

// late stops the process between the decision and its use, or the operation
// alone.
func (c *client) late(i *incarnation, op int64) {
	ctx, lease := context.Background(), c.world.plan.lease
	proceed := func() { _, _ = i.send(request{Go: op}) } // whoever has ended needs no more
	if c.world.plan.late == 0 && c.random.IntN(4) == 0 || !c.process.fault.TryLock() {
		pause(ctx, time.Duration(c.random.Int64N(int64(lease/2))))
		proceed()
		return
	}
	defer c.process.fault.Unlock()
	d := lease/20 + upTo(c.random, lease/4)
	if c.world.plan.late > 0 || c.random.IntN(2) == 0 {
		d += lease + upTo(c.random, c.world.plan.late)
		c.world.count("operations stopped past the lease")
	}
	c.world.note("%s stops for %s, op %d has decided", c.process.settings.Name, d, op)
	c.world.count("stops")
	i.signal(syscall.SIGSTOP)
	pause(ctx, d)
	proceed()
	i.signal(syscall.SIGCONT)
	c.world.note("%s goes on", c.process.settings.Name)
}

// spoil has some operations fail on one side, end early, come late, or stay
// long in their transactions.
func (c *client) spoil(r *request, o accounts.Operation) {
	p := c.world.plan
	if p.sideFaults > 0 && c.random.IntN(p.sideFaults) == 0 {
		r.Fault = &sideFault{
			Authority: p.authority > 0 && c.random.IntN(p.authority) == 0, Kind: p.kinds[c.random.IntN(len(p.kinds))],
		}
	}
	if c.random.IntN(60) == 0 {
		r.Stay = time.Duration(c.random.IntN(1000)) * time.Millisecond
	}
	r.Hold = p.hold > 0 && !(p.heldFails && o.Unfenced) && c.random.IntN(p.hold) == 0
	if r.Hold && p.heldFails {
		r.Fault = &sideFault{Kind: accounts.ErrorBefore}
	}
	if c.random.IntN(25) == 0 && !r.Hold {
		r.Timeout = time.Duration(1+c.random.IntN(5000)) * time.Microsecond
	}
}

// clients have all clients do their operations of one round.
func (w *world) clients(round int, h *accounts.History, m *accounts.Made) {
	var running sync.WaitGroup
	for i, p := range w.applications {
		for k := range w.plan.clients {
			number := i*w.plan.clients + k
			c := &client{
				world: w, process: p, number: number, history: h, made: m, random: w.random(streamClient + round*1000 + number),
			}
			running.Go(func() { c.run(w.plan.turns) })
		}
	}
	w.await("the clients' operations", &running)
}
