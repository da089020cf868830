package postgres_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
	"github.com/crossfade-db/crossfade/versions"
)

// saver is a side whose Save a test writes itself.
type saver struct {
	*table
	save func(ctx context.Context, side *table, n note) error
}

func (s saver) Save(ctx context.Context, _ string, n note) error { return s.save(ctx, s.table, n) }

// saves has the side save as fn does.
func saves(side postgres.Factory[notes], fn func(ctx context.Context, side *table, n note) error) postgres.Factory[notes] {
	return func(db postgres.DBTX) notes { return saver{side(db).(*table), fn} }
}

var (
	plainV1 = v1(&hooks{})
	plainV2 = v2(&hooks{})
)

// route has the world's notes be served by these sides.
func (w *world) route(oldSide, newSide postgres.Factory[notes], meter repo.Meter) {
	w.t.Helper()
	backend, err := postgres.Sides(w.db, oldSide, newSide)
	require.NoError(w.t, err)
	migration, err := versions.Must(versions.New("notes", "v1", "v2")).Last()
	require.NoError(w.t, err)
	route, err := repo.NewRoute(repo.Config[notes]{
		Migration: migration, Flag: w.set.Flag("notes-v2"), Backend: backend, Copier: copier, Meter: meter,
	})
	require.NoError(w.t, err)
	w.notes = routed{route}
}

// routeOther has the side without authority at the stage save as fn does.
func (w *world) routeOther(stage flags.Stage, fn func(ctx context.Context, side *table, n note) error) {
	w.t.Helper()
	if stage.Plan().Authority == flags.OldSide {
		w.route(plainV1, saves(plainV2, fn), nil)
	} else {
		w.route(saves(plainV1, fn), plainV2, nil)
	}
}

// routeAuthority has the side with authority at the stage save as fn does.
func (w *world) routeAuthority(stage flags.Stage, fn func(ctx context.Context, side *table, n note) error) {
	w.t.Helper()
	if stage.Plan().Authority == flags.OldSide {
		w.route(saves(plainV1, fn), plainV2, nil)
	} else {
		w.route(plainV1, saves(plainV2, fn), nil)
	}
}

// tables are the tables of the side with authority and of the other one.
func tables(stage flags.Stage) (authority, other string) {
	if stage.Plan().Authority == flags.OldSide {
		return "notes_v1", "notes_v2"
	}
	return "notes_v2", "notes_v1"
}

// staleOnOther is the record of note 1 on the side without authority.
func staleOnOther(stage flags.Stage) []string {
	return []string{stage.Plan().Authority.Other().String() + ":1"}
}

// both are the stages at which both sides are written, lenient those of them
// that bear a failure of the side without authority.
var (
	both    = []flags.Stage{flags.Dual, flags.Shadow, flags.Live, flags.RampDown}
	lenient = []flags.Stage{flags.Dual, flags.Shadow, flags.RampDown}
)

// later executes a statement that sqlc would have generated for ":exec".
func later(ctx context.Context, db postgres.DBTX, sql string, args ...any) error {
	_, err := db.Exec(ctx, "-- name: Later :exec\n"+sql, args...)
	return err
}

var errTaken = errors.New("that text is taken")

// taken translates as the code of a side does.
func taken(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "23505" {
		return errTaken
	}
	return err
}

// one asks for one value.
func one[T any](w *world, sql string, args ...any) (value T) {
	w.t.Helper()
	require.NoError(w.t, w.pool.QueryRow(context.Background(), sql, args...).Scan(&value))
	return value
}

// cutter is a network that breaks where a test says.
type cutter struct {
	mu    sync.Mutex
	armed bool
	left  int // events until it breaks
	how   breakage
	broke bool
}

type breakage string

const (
	beforeSending  breakage = "before something is sent"
	whileSending   breakage = "when half of it is sent"
	afterAnswering breakage = "when the server has answered"
)

// arm has it break at event n from now on.
func (c *cutter) arm(how breakage, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.armed, c.left, c.how, c.broke = true, n, how, false
}

// disarm reports whether it has broken.
func (c *cutter) disarm() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.armed = false
	return c.broke
}

// now counts an event of a kind and reports whether it is the one.
func (c *cutter) now(kinds ...breakage) (how breakage, is bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.armed || c.broke {
		return "", false
	}
	for _, kind := range kinds {
		if kind == c.how {
			c.left--
			c.broke = c.left < 0
			return c.how, c.broke
		}
	}
	return "", false
}

var errCut = &net.OpError{Op: "read", Net: "tcp", Err: errors.New("the network broke")}

type cutConn struct {
	net.Conn
	cutter *cutter
	asked  sync.Mutex
	sent   bool
}

func (c *cutConn) Write(p []byte) (int, error) {
	c.asked.Lock()
	c.sent = true
	c.asked.Unlock()
	switch how, is := c.cutter.now(beforeSending, whileSending); {
	case is && how == whileSending:
		_, _ = c.Conn.Write(p[:len(p)/2])
		fallthrough
	case is:
		_ = c.Close()
		return 0, errCut
	}
	return c.Conn.Write(p)
}

func (c *cutConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.asked.Lock()
	answer := n > 0 && c.sent
	if answer {
		c.sent = false
	}
	c.asked.Unlock()
	if answer {
		if _, is := c.cutter.now(afterAnswering); is {
			_ = c.Close()
			return 0, errCut
		}
	}
	return n, err
}

// cuttable returns a pool of one connection over a network that can break.
func cuttable(t *testing.T) (*pgxpool.Pool, *cutter) {
	t.Helper()
	cfg, err := pgxpool.ParseConfig(pgtest.New(t))
	require.NoError(t, err)
	c, dial := &cutter{}, cfg.ConnConfig.DialFunc
	cfg.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &cutConn{Conn: conn, cutter: c}, nil
	}
	cfg.MaxConns = 1
	cfg.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false }
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pool, c
}

// sameOnBothSides asserts that the sides hold the same, and that nothing is stale.
func (w *world) sameOnBothSides() {
	w.t.Helper()
	assert.Equal(w.t, w.text("notes_v1", 1), w.text("notes_v2", 1))
	assert.Empty(w.t, w.stale())
}

// replaceAll writes the name of a table where sql says %.
func replaceAll(sql, table string) string { return strings.ReplaceAll(sql, "%", table) }

// textOf is the expression that reads a note's text from a side's table.
func textOf(table string) string {
	if table == "notes_v1" {
		return "body"
	}
	return "title || rest"
}

// here is what the table is called now.
func here(w *world, table string) string {
	return one[string](w, "select relname from pg_class where relname in ($1, 'elsewhere') and relkind = 'r'", table)
}
