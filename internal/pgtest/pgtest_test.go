package pgtest

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(helperEnv); role != "" && role != helperTests {
		os.Exit(runHelper(role))
	}
	os.Exit(Main(m, createMark, fillMark))
}

func createMark(ctx context.Context, dsn string) error {
	return execute(ctx, dsn, "create table mark (n int)")
}

func fillMark(ctx context.Context, dsn string) error {
	return execute(ctx, dsn, "insert into mark values (1)")
}

func execute(ctx context.Context, dsn, statement string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}

// ask returns the one value that a query gives.
func ask[T any](t *testing.T, dsn, query string, args ...any) (value T) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	require.NoError(t, conn.QueryRow(t.Context(), query, args...).Scan(&value))
	return value
}

func TestNewDatabase(t *testing.T) {
	t.Run("has what Main's functions set up, in their order", func(t *testing.T) {
		assert.Equal(t, 1, ask[int](t, New(t), "select count(*) from mark"))
	})
	t.Run("is fresh for every test, also for many at once", func(t *testing.T) {
		const tests = 12
		var wg sync.WaitGroup
		names := make([]string, tests)
		for i := range tests {
			wg.Go(func() {
				var name string
				err := Pool(t).QueryRow(t.Context(), "insert into mark values (2) returning current_database()").Scan(&name)
				assert.NoError(t, err)
				names[i] = name
			})
		}
		wg.Wait()
		seen := map[string]bool{}
		for _, name := range names {
			assert.False(t, seen[name], "two tests share %s", name)
			seen[name] = true
		}
	})
	t.Run("is dropped at the end, with whoever is still in it", func(t *testing.T) {
		var name string
		var left *pgx.Conn
		t.Run("inner", func(t *testing.T) {
			var err error
			left, err = pgx.Connect(context.Background(), New(t))
			require.NoError(t, err)
			require.NoError(t, left.QueryRow(t.Context(), "select current_database()").Scan(&name))
		})
		assert.Error(t, left.Ping(t.Context()), "the session goes with its database")
		assert.Equal(t, 0, ask[int](t, shared.server.URL(), "select count(*) from pg_database where datname = $1", name))
	})
	t.Run("leaves no goroutine that a leak check inside a test would see", func(t *testing.T) {
		New(t)
		goleak.VerifyNone(t, append(LeakOptions(), goleak.IgnoreCurrent())...)
	})
}

func TestCreateDatabase(t *testing.T) {
	New(t) // the shared server runs
	server, ctx := shared.server, t.Context()

	t.Run("clones a template by its name", func(t *testing.T) {
		dsn, err := server.CreateDatabase(ctx, "Weird \"name\" 'x'", template)
		require.NoError(t, err)
		assert.Equal(t, 1, ask[int](t, dsn, "select count(*) from mark"))
		require.NoError(t, server.DropDatabase(ctx, "Weird \"name\" 'x'"))
	})
	t.Run("refuses a name twice and keeps the first", func(t *testing.T) {
		dsn, err := server.CreateDatabase(ctx, "twice", "")
		require.NoError(t, err)
		_, err = server.CreateDatabase(ctx, "twice", "")
		require.ErrorContains(t, err, "twice was created already")
		assert.Equal(t, 1, ask[int](t, dsn, "select 1"))
		require.NoError(t, server.DropDatabase(ctx, "twice"))
	})
	t.Run("names a template that does not exist, and forgets the name", func(t *testing.T) {
		for range 2 {
			_, err := server.CreateDatabase(ctx, "orphan", "no such template")
			require.ErrorContains(t, err, "no such template")
		}
	})
	t.Run("drops nothing that it did not make", func(t *testing.T) {
		for _, name := range []string{"postgres", "template1", "nothing"} {
			require.ErrorContains(t, server.DropDatabase(ctx, name), "was not created here")
		}
		assert.Equal(t, 1, ask[int](t, server.URL(), "select count(*) from pg_database where datname = 'template1'"))
	})
}

func TestWithDatabase(t *testing.T) {
	for _, c := range []struct{ dsn, want string }{
		{"postgres://u:p%40ss@h:5/old?sslmode=disable&dbname=x", "postgres://u:p%40ss@h:5/n?sslmode=disable"},
		{"postgresql://h", "postgresql://h/n"},
		{"host=h dbname=old", "host=h dbname=old dbname='n'"},
	} {
		dsn, err := withDatabase(c.dsn, "n")
		require.NoError(t, err)
		assert.Equal(t, c.want, dsn)
		config, err := pgx.ParseConfig(dsn)
		require.NoError(t, err)
		assert.Equal(t, "n", config.Database)
	}
	_, err := withDatabase("postgres://u:secret@h:port:port/x", "n")
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "secret")
}

func TestNewWithoutMainSaysWhatToDo(t *testing.T) {
	shared.mu.Lock()
	shared.ready = false
	shared.mu.Unlock()
	defer func() {
		shared.mu.Lock()
		shared.ready = true
		shared.mu.Unlock()
	}()
	_, err := sharedServer()
	require.ErrorContains(t, err, "pgtest.Main")
}

func ExampleStart() {
	ctx := context.Background()
	server, err := Start(ctx, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close(ctx)
	dsn, err := server.CreateDatabase(ctx, "shop", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close(ctx)
	var encoding string
	fmt.Println(conn.QueryRow(ctx, "show server_encoding").Scan(&encoding), encoding)
	// Output: <nil> UTF8
}
