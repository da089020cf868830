package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crossfade-db/crossfade/examples/quickstart/internal/oracle"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/progress"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/screen"
	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/ledger"
)

// server is a throw-away PostgreSQL, or a database of our own on the server that CROSSFADE_DATABASE_URL names.
type server struct {
	*pgtest.Server
	dsn string
}

func startServer(ctx context.Context) (*server, error) {
	s, err := pgtest.Start(ctx, nil)
	if err != nil {
		return nil, err
	}
	dsn, err := s.CreateDatabase(ctx, "quickstart", "")
	started := &server{Server: s, dsn: dsn}
	if err != nil {
		return nil, errors.Join(err, started.close())
	}
	return started, nil
}

func (s *server) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	return s.Close(ctx)
}

// place is the demonstration's own way to the database, apart from the application's.
type place struct {
	pool  *pgxpool.Pool
	claim *pgxpool.Conn // holds the claim on the database
}

func (p *place) close() {
	if p.claim != nil {
		p.claim.Conn().Close(context.Background()) // and not back to the pool: its lock goes with it
		p.claim.Release()
	}
	p.pool.Close()
}

// prepare makes the ledger and the tables, or finds what an earlier run left, and takes that run's options over.
func prepare(ctx context.Context, dsn string, o *options, view *screen.Screen) (_ *place, err error) {
	if err := ledger.Migrate(ctx, dsn); err != nil {
		return nil, err
	}
	pool, err := connect(ctx, dsn, "quickstart-orchestrator", 8)
	if err != nil {
		return nil, err
	}
	p := &place{pool: pool}
	if err = p.take(ctx, o, view); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *place) take(ctx context.Context, o *options, view *screen.Screen) error {
	if err := p.claimDatabase(ctx); err != nil {
		return err
	}
	known := progress.New(p.pool)
	begun, err := known.Load(ctx)
	switch {
	case errors.Is(err, progress.ErrNone):
		view.Say("making %d customers of %d tenants from seed %d", o.data.Customers, o.data.Tenants, o.data.Seed)
		err = known.Begin(ctx, progress.Walk{Data: o.data, PlantBug: o.plantBug, Rate: o.rate})
	case err == nil:
		view.Say("going on with the walk that began at %s", begun.BeganAt.Local().Format(time.DateTime))
		err = o.resume(begun)
	}
	if err != nil {
		return err
	}
	if _, err := ledger.New(p.pool, nil).Register(ctx, migration, ""); err != nil {
		return err
	}
	return oracle.AbandonAll(ctx, p.pool)
}

// claimLock is the advisory lock of whoever leads the walk in a database.
const claimLock = 0x71756963 // "quic"

// claimWait is how long a run that was killed may take to be gone.
const claimWait = 15 * time.Second

// claimDatabase makes this run the only one in the database.
func (p *place) claimDatabase(ctx context.Context) error {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("claim the database: %w", err)
	}
	p.claim = conn
	_, err = conn.Exec(ctx, "select set_config('lock_timeout', $1, false)", strconv.FormatInt(claimWait.Milliseconds(), 10))
	if err == nil {
		_, err = conn.Exec(ctx, "select pg_advisory_lock($1)", claimLock)
	}
	if err != nil {
		return fmt.Errorf("claim the database, in which another quickstart may be at work: %w", err)
	}
	return nil
}
