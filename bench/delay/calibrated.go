package delay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/bench/measure"
)

// Network is a relay in front of a database, and what it really adds.
type Network struct {
	*Process
	// DSN leads to the database through the relay.
	DSN string
	// Added is by how much the relay lengthens a round trip, in the median.
	Added time.Duration
}

// tries is how often the delay is corrected.
const tries = 3

// tolerated is by how much a round trip may be longer than asked for: the relay's own work goes on top of its sleep.
const tolerated = 80 * time.Microsecond

// Calibrated starts a relay that lengthens a round trip by twice eachWay. What the relay's own work takes, and late timers,
// is measured with a trivial statement, beside the same without the relay, and taken off its sleep.
func Calibrated(ctx context.Context, dsn string, eachWay time.Duration, turns int, say func(string, ...any)) (*Network, error) {
	target, err := Target(dsn)
	if err != nil {
		return nil, err
	}
	sleep := eachWay
	for try := 1; ; try++ {
		n, err := open(ctx, dsn, target, sleep, turns)
		if err != nil {
			return nil, err
		}
		say("the delay adds %.3f ms to a round trip (it sleeps for %.3f ms each way)", n.Added.Seconds()*1000, sleep.Seconds()*1000)
		excess := n.Added - 2*eachWay
		if try == tries || excess <= tolerated && excess >= 0 {
			return n, nil
		}
		if err := n.Close(); err != nil {
			return nil, err
		}
		sleep = max(0, sleep-(excess-tolerated/2)/2)
	}
}

func open(ctx context.Context, dsn, target string, sleep time.Duration, turns int) (_ *Network, err error) {
	p, err := Start(target, sleep)
	if err != nil {
		return nil, err
	}
	n := &Network{Process: p}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	if n.DSN, err = p.Through(dsn); err != nil {
		return nil, err
	}
	n.Added, err = added(ctx, dsn, n.DSN, turns)
	return n, err
}

// added measures by how much round trips over one way are longer than over the other.
func added(ctx context.Context, near, far string, turns int) (time.Duration, error) {
	direct, end, err := roundTrip(ctx, "near", near)
	if err != nil {
		return 0, err
	}
	defer end()
	delayed, end, err := roundTrip(ctx, "far", far)
	if err != nil {
		return 0, err
	}
	defer end()
	found, err := measure.Run(ctx, measure.Plan{Turns: turns, Rounds: 5}, []measure.Variant{direct, delayed})
	if err != nil {
		return 0, fmt.Errorf("measure the delay: %w", err)
	}
	return time.Duration(found.Latency("far", 0.5) - found.Latency("near", 0.5)), nil
}

// roundTrip connects, and asks for next to nothing.
func roundTrip(ctx context.Context, name, dsn string) (v measure.Variant, end func(), err error) {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return v, nil, fmt.Errorf("connect to the database: %w", err)
	}
	v = measure.Variant{Name: name, Do: func(ctx context.Context, _ int) error {
		var one int
		return conn.QueryRow(ctx, "select 1").Scan(&one)
	}}
	return v, func() { conn.Close(context.WithoutCancel(ctx)) }, nil
}
