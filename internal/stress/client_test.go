package stress

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/accounts"
)

// client calls the repository of one process, one operation at a time.
type client struct {
	world   *world
	process *accounts.Process
	number  int
	random  *rand.Rand
	history *accounts.History
	made    *accounts.Made
}

// run does some operations, now and then several under one pin, as a request
// would.
func (c *client) run(n int) {
	for i := 0; i < n; {
		ctx, release, more := context.Background(), func() {}, 1
		if c.random.IntN(4) == 0 {
			ctx, release = flags.Pin(ctx, 0)
			more = 1 + c.random.IntN(4)
		}
		for range more {
			c.turn(ctx)
			i++
		}
		release()
	}
}

func (c *client) turn(ctx context.Context) {
	tenant := accounts.Tenants[c.random.IntN(len(accounts.Tenants))]
	o := accounts.Operations.Pick(c.random)
	if o.Name == "insert" && !c.made.Attempt() {
		return
	}
	e := &accounts.Event{Client: c.number, Op: c.world.ops.Add(1), Tenant: tenant, What: o.Name, Stage: c.process.Stage(tenant)}
	now := func() time.Duration { return time.Since(c.world.began) }
	t := &accounts.Turn{
		Session: c.process.Session, Op: e.Op, Tenant: tenant, Random: c.random, Made: c.made.Of(tenant), Now: now,
	}
	ctx, cancel := c.spoil(ctx, o, tenant)
	defer cancel()
	e.Call = now()
	o.Run(ctx, t)
	e.End = now()
	e.Answer = t.Answer
	c.made.Add(tenant, e.Acts)
	c.history.Add(e)
}

// spoil has some operations fail on one side, end early, come late, or stay
// long in their transactions.
func (c *client) spoil(ctx context.Context, o accounts.Operation, tenant string) (context.Context, context.CancelFunc) {
	faults := 5 // one in
	if !o.Unfenced {
		switch c.random.IntN(60) {
		case 0:
			faults = 2
			ctx = accounts.WithDelay(ctx, c.late(0, time.Duration(c.random.IntN(1000))*time.Millisecond))
		case 1, 2, 3, 4:
			ctx = accounts.WithDelay(ctx, c.late(time.Duration(c.random.IntN(300))*time.Millisecond, 0))
		}
	}
	if c.random.IntN(faults) == 0 {
		side := c.process.Authority(tenant)
		if c.random.IntN(4) > 0 {
			side = side.Other()
		}
		ctx = accounts.WithFault(ctx, accounts.Fault{Side: side, Kind: accounts.FaultKind(c.random.IntN(int(accounts.FaultKinds)))})
	}
	if c.random.IntN(25) > 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, time.Duration(c.random.IntN(5000))*time.Microsecond)
}

// late is an operation for which nobody waits any more.
func (c *client) late(by, stay time.Duration) accounts.Delay {
	return accounts.Delay{Forgotten: true, Stay: stay, Between: func(ctx context.Context) { accounts.Pause(ctx, by) }}
}
