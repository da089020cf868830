package chaos

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/accounts"
)

// capture installs capture of both sides.
func (w *world) capture() {
	c := backfill.NewCapture(w.keeper, &backfill.CaptureConfig{Complete: true})
	for _, side := range []flags.Side{flags.OldSide, flags.NewSide} {
		_, err := c.Install(w.t.Context(), accounts.MigrationName, side, false, accounts.CaptureTables(side)...)
		require.NoError(w.t, err)
	}
}

// outsiders write plain SQL on either side until ctx ends, mostly on the old
// one. Where capture refuses a write, it failed and must have left nothing.
func (w *world) outsiders(ctx context.Context, round int, h *accounts.History, running *sync.WaitGroup) {
	for i := range w.plan.outside {
		number := -2 - i
		random := w.random(streamClient + round*1000 + 900 + i)
		running.Go(func() {
			pool, err := accounts.Open(w.server.URL(), "outside "+strconv.Itoa(i), 1)
			if err != nil {
				w.violate("open a pool: %s", err)
				return
			}
			defer pool.Close()
			for pause(ctx, time.Duration(random.IntN(150))*time.Millisecond); ctx.Err() == nil; pause(ctx, time.Duration(random.IntN(150))*time.Millisecond) {
				w.outside(accounts.Session{Pool: pool}, number, random, h)
			}
		})
	}
}

func (w *world) outside(session accounts.Session, number int, random *rand.Rand, h *accounts.History) {
	e := &accounts.Event{
		Client: number, Op: w.ops.Add(1), Tenant: accounts.Tenants[random.IntN(len(accounts.Tenants))], Stage: "outside", Call: w.now(),
	}
	t := &accounts.Turn{Session: session, Op: e.Op, Tenant: e.Tenant, Random: random}
	side := flags.OldSide
	if random.IntN(4) == 0 {
		side = flags.NewSide
	}
	e.What = "plain SQL on the " + side.String() + " side"
	levels := []pgx.TxIsoLevel{pgx.ReadCommitted, pgx.ReadCommitted, pgx.RepeatableRead, pgx.Serializable}
	stay := time.Duration(0)
	if random.IntN(4) == 0 {
		stay = time.Duration(random.IntN(400)) * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	accounts.Outside(ctx, t, side, levels[random.IntN(len(levels))], stay)
	e.End, e.Answer = w.now(), t.Answer
	switch {
	case strings.Contains(e.Err, "past the application"):
		w.count("refused outside")
	case e.Outcome == accounts.Happened && e.Writes():
		w.count("writes outside on the " + side.String() + " side")
	}
	h.Add(e)
}

// outsidersEnded is an error while a session of theirs is open.
func (w *world) outsidersEnded(ctx context.Context) error {
	var open int
	err := w.keeper.QueryRow(ctx, "select count(*) from pg_stat_activity where application_name like 'outside %'").Scan(&open)
	if err == nil && open > 0 {
		err = errors.New("sessions are open")
	}
	return err
}
