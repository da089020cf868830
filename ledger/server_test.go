package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/ledger"
)

// requireProblem checks that an error says which operation met which problem.
func requireProblem(t *testing.T, err error, want ledger.Problem) {
	t.Helper()
	var server *ledger.ServerError
	require.ErrorAs(t, err, &server)
	require.Equal(t, want, server.Problem, "%v", err)
	require.NotEmpty(t, server.Operation)
	require.ErrorContains(t, err, want.String())
	require.NotContains(t, err.Error(), "sesame", "passwords stay out of errors")
}

func TestMigrateNamesTheProblemOfADSN(t *testing.T) {
	t.Parallel()
	good, err := url.Parse(pgtest.New(t))
	require.NoError(t, err)
	with := func(change func(*url.URL)) string {
		u := *good
		change(&u)
		return u.String()
	}
	for _, c := range []struct {
		name, dsn string
		want      ledger.Problem
	}{
		{"no DSN at all", "postgres://user:sesame@host:port/db", ledger.BadDSN},
		{"nobody listens there", with(func(u *url.URL) { u.Host = "127.0.0.1:1" }), ledger.Unreachable},
		{"no such database", with(func(u *url.URL) { u.Path = "/nosuchdatabase" }), ledger.NoDatabase},
		{"no such user", with(func(u *url.URL) { u.User = url.UserPassword("nobody", "sesame") }), ledger.Denied},
		{"read-only", with(func(u *url.URL) {
			q := u.Query()
			q.Set("default_transaction_read_only", "on")
			u.RawQuery = q.Encode()
		}), ledger.ReadOnly},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.want == ledger.ReadOnly {
				pool, err := pgxpool.New(t.Context(), good.String())
				require.NoError(t, err)
				defer pool.Close()
				_, err = pool.Exec(t.Context(), `drop schema crossfade cascade`)
				require.NoError(t, err)
			}
			requireProblem(t, ledger.Migrate(t.Context(), c.dsn), c.want)
		})
	}
}

func TestStoreNamesTheProblemOfAServer(t *testing.T) {
	t.Parallel()
	server, err := pgtest.Start(t.Context(), &pgtest.Config{Own: true, Settings: map[string]string{
		"max_connections": "5", "superuser_reserved_connections": "0",
	}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close(context.Background())) })
	dsn, err := server.CreateDatabase(t.Context(), "ledger", "")
	require.NoError(t, err)
	require.NoError(t, ledger.Migrate(t.Context(), dsn))
	pool, err := pgxpool.New(t.Context(), dsn)
	require.NoError(t, err)
	defer pool.Close()
	store := ledger.New(pool, &ledger.Config{Timeout: 20 * time.Second})
	_, err = store.Register(t.Context(), customers, "")
	require.NoError(t, err)

	t.Run("read-only server", func(t *testing.T) {
		config := pool.Config()
		config.ConnConfig.RuntimeParams["default_transaction_read_only"] = "on"
		standby, err := pgxpool.NewWithConfig(t.Context(), config)
		require.NoError(t, err)
		defer standby.Close()
		reading := ledger.New(standby, nil)
		_, err = reading.Policy(t.Context(), customers.Name)
		require.NoError(t, err, "reading goes on")
		_, err = reading.Heartbeat(t.Context(), ledger.Beat{Lease: time.Second})
		requireProblem(t, err, ledger.ReadOnly)
	})
	t.Run("out of connections", func(t *testing.T) {
		pool.Reset()
		var held []*pgxpool.Pool
		defer func() {
			for _, p := range held {
				p.Close()
			}
		}()
		for {
			p, err := pgxpool.New(t.Context(), dsn)
			require.NoError(t, err)
			held = append(held, p)
			if p.Ping(t.Context()) != nil {
				break
			}
			require.Less(t, len(held), 20)
		}
		_, err := ledger.New(held[len(held)-1], nil).Policy(t.Context(), customers.Name)
		requireProblem(t, err, ledger.TooManyConnections)
	})
	t.Run("no free connection in the pool", func(t *testing.T) {
		config := pool.Config()
		config.MaxConns = 1
		small, err := pgxpool.NewWithConfig(t.Context(), config)
		require.NoError(t, err)
		defer small.Close()
		conn, err := small.Acquire(t.Context())
		require.NoError(t, err)
		defer conn.Release()
		_, err = ledger.New(small, &ledger.Config{Timeout: time.Millisecond}).Policy(t.Context(), customers.Name)
		requireProblem(t, err, ledger.TimedOut)
	})
	t.Run("server gone in the middle, and back", func(t *testing.T) {
		conn, err := pool.Acquire(t.Context())
		require.NoError(t, err)
		tx, err := conn.Begin(t.Context())
		require.NoError(t, err)
		require.NoError(t, server.Stop(t.Context(), "fast"))
		_, err = tx.Exec(t.Context(), `select 1`)
		require.Error(t, err)
		conn.Release()
		_, err = store.Policy(t.Context(), customers.Name)
		var problem *ledger.ServerError
		require.ErrorAs(t, err, &problem)
		assert.Contains(t, []ledger.Problem{ledger.Lost, ledger.Unreachable}, problem.Problem)
		requireEventually(t, func() error {
			_, err := store.Policy(t.Context(), customers.Name)
			return problemIs(err, ledger.Unreachable)
		})
		require.NoError(t, server.Start(t.Context()))
		requireEventually(t, func() error { _, err := store.Policy(t.Context(), customers.Name); return err })
	})
}

func problemIs(err error, want ledger.Problem) error {
	var server *ledger.ServerError
	if err == nil {
		return fmt.Errorf("no error")
	}
	if !errors.As(err, &server) || server.Problem != want {
		return err
	}
	return nil
}

func requireEventually(t *testing.T, fn func() error) {
	t.Helper()
	var last error
	assert.Eventually(t, func() bool { last = fn(); return last == nil }, time.Minute, 10*time.Millisecond)
	require.NoError(t, last)
}

func TestDatabaseWithoutLedgerSaysWhatToDo(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	_, err := pool.Exec(t.Context(), `drop schema crossfade cascade`)
	require.NoError(t, err)
	store := ledger.New(pool, nil)
	_, err = store.Policy(t.Context(), customers.Name)
	var version *ledger.VersionError
	require.ErrorAs(t, err, &version)
	assert.True(t, version.Absent())
	assert.ErrorContains(t, err, "read the policy of customers-v2: ledger: there is none in this database: run `crossfade init`")
	require.ErrorAs(t, store.Check(t.Context()), &version)
}

func TestCanceledContextIsNoServersProblem(t *testing.T) {
	t.Parallel()
	store, _ := newStore(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := store.Policy(ctx, customers.Name)
	require.ErrorIs(t, err, context.Canceled)
	var server *ledger.ServerError
	assert.NotErrorAs(t, err, &server)
}

func TestVersionErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	assert.ErrorContains(t, &ledger.VersionError{Have: 1, Want: 2}, "version 1 is older than this program, which needs 2: run `crossfade init`")
	assert.ErrorContains(t, &ledger.VersionError{Have: 3, Want: 2}, "version 3 is newer than this program, which knows 2: upgrade the program")
}
