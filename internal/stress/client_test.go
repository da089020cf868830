package stress

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
)

// client calls the repository of one process, one operation at a time.
type client struct {
	process *process
	number  int
	random  *rand.Rand
	history *history
	began   time.Time // of the whole run
	ops     *atomic.Int64
	inserts *atomic.Int64 // in this round
}

// turn is one operation of a client.
type turn struct {
	*client
	*event
	accounts routed
}

type operation struct {
	name     string
	weight   int
	run      func(ctx context.Context, t *turn) error
	unfenced bool // a plain read, which nothing stops when it comes too late
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
	tenant := tenants[c.random.IntN(len(tenants))]
	o := c.pick()
	t := &turn{client: c, accounts: c.process.accounts, event: &event{
		client: c.number, op: c.ops.Add(1), tenant: tenant, what: o.name, stage: c.process.stage(tenant),
	}}
	ctx, cancel := c.spoil(ctx, o, tenant)
	defer cancel()
	t.call = time.Since(c.began)
	err := caught(func() error { return o.run(ctx, t) })
	t.end = time.Since(c.began)
	var lost *repo.UnknownOutcomeError
	switch {
	case err == nil:
	case errors.As(err, &lost):
		t.outcome, t.err = unknown, err
	default:
		t.outcome, t.err = failed, err
	}
	c.history.add(t.event)
}

// spoil has some operations fail on one side, end early, come late, or stay
// long in their transactions.
func (c *client) spoil(ctx context.Context, o operation, tenant string) (context.Context, context.CancelFunc) {
	faults := 5 // one in
	if !o.unfenced {
		switch c.random.IntN(60) {
		case 0:
			faults = 2
			ctx = withDelay(ctx, 0, time.Duration(c.random.IntN(1000))*time.Millisecond)
		case 1, 2, 3, 4:
			ctx = withDelay(ctx, time.Duration(c.random.IntN(300))*time.Millisecond, 0)
		}
	}
	if c.random.IntN(faults) == 0 {
		side := c.process.authority(tenant)
		if c.random.IntN(4) > 0 {
			side = side.Other()
		}
		ctx = withFault(ctx, &fault{side: side, kind: faultKind(c.random.IntN(int(faultKinds)))})
	}
	if c.random.IntN(25) > 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, time.Duration(c.random.IntN(5000))*time.Microsecond)
}

func (c *client) pick() operation {
	all := 0
	for _, o := range operations {
		all += o.weight
	}
	n := c.random.IntN(all)
	for _, o := range operations {
		if n -= o.weight; n < 0 {
			return o
		}
	}
	panic("unreachable")
}

// caught turns a panic, which is a side's own, into an error.
func caught(fn func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			injected, ok := v.(error)
			if !ok || !errors.Is(injected, errInjected) {
				panic(v)
			}
			err = fmt.Errorf("panic: %w", injected)
		}
	}()
	return fn()
}

// saw notes what one part of the operation saw or did.
func (t *turn) saw(a act) { t.acts = append(t.acts, a) }

// forget begins anew: a transaction runs again.
func (t *turn) forget() { t.acts = nil }

// key returns one that clients name, or now and then one that the database may
// have made in this round.
func (t *turn) key(byName bool) int64 {
	if byName || t.random.IntN(3) > 0 {
		return 1 + t.random.Int64N(named)
	}
	return keyOf(named + t.random.IntN(made/4))
}

// account returns a new value of a key, unlike any other.
func (t *turn) account(id int64) account {
	return account{ID: id, Name: fmt.Sprintf("n%d", t.op), Balance: int64(t.random.IntN(100))}
}

func (t *turn) write(a account) write { return write{op: t.op, account: a} }

// answered notes an act whose only logical refusal is told by an error. Other
// errors are returned; so is the refusal of a failing old side. An act of
// unknown outcome is noted as well.
func (t *turn) answered(a act, err, refusal error) error {
	var strict *repo.SideError
	var lost *repo.UnknownOutcomeError
	switch {
	case err == nil:
	case errors.As(err, &lost):
		t.saw(a)
		return err
	case errors.Is(err, refusal) && !errors.As(err, &strict) && !errors.Is(err, errInjected):
		a.none = true
	default:
		return err
	}
	t.saw(a)
	return nil
}

// read notes what a read of one key saw.
func (t *turn) read(id int64, a account, err error) error {
	switch {
	case err == nil:
		t.saw(act{kind: actRead, slot: slotOf(id), row: rowOf(a)})
	case errors.Is(err, errNone) && !errors.Is(err, errInjected):
		t.saw(act{kind: actRead, slot: slotOf(id)})
	default:
		return err
	}
	return nil
}
