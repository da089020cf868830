package pgtest

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/goleak"
)

// template is the name of the database that New clones.
const template = "template"

// startTimeout bounds the start of the server, whose machine may be busy with other packages' tests.
const startTimeout = 2 * time.Minute

// shared is the one server of a test process.
var shared struct {
	mu       sync.Mutex
	ready    bool // Main was called
	migrate  []func(ctx context.Context, dsn string) error
	server   *Server
	startErr error
}

// Main runs the tests of a package and returns the exit status for os.Exit; call it from TestMain. The functions given
// set up, once, the template that New clones, each in its turn. The server starts with the first New and is gone when
// Main returns, or when the process ends by a signal. A goroutine left behind by the tests fails the package.
func Main(m *testing.M, migrate ...func(ctx context.Context, dsn string) error) int {
	shared.mu.Lock()
	shared.ready, shared.migrate = true, migrate
	shared.mu.Unlock()

	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	done, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		closeOnSignal(signals, done)
	}()
	status := m.Run()
	close(done)
	<-watched
	signal.Stop(signals)

	if err := closeShared(); err != nil {
		fmt.Fprintln(os.Stderr, "pgtest:", err)
		status = max(status, 1)
	}
	if status == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, "pgtest: the tests left goroutines behind:", err)
			status = 1
		}
	}
	return status
}

// closeOnSignal closes the server when a signal arrives, and then ends the process the way that signal does.
func closeOnSignal(signals <-chan os.Signal, done <-chan struct{}) {
	select {
	case <-done:
	case sig := <-signals:
		if err := closeShared(); err != nil {
			fmt.Fprintln(os.Stderr, "pgtest:", err)
		}
		signal.Reset(sig)
		if number, ok := sig.(syscall.Signal); ok {
			_ = syscall.Kill(os.Getpid(), number)
		}
		<-done // the signal ends the process before this
	}
}

// LeakOptions are for tests that look for goroutines of their own with goleak while Main's server runs.
func LeakOptions() []goleak.Option {
	return []goleak.Option{
		goleak.IgnoreAnyFunction("github.com/crossfade-db/crossfade/internal/pgtest.closeOnSignal"),
	}
}

// New returns the DSN of a fresh database with what Main's functions set up. It is dropped when the test ends, also if
// sessions are still in it. Tests may call it concurrently.
func New(t testing.TB) string {
	t.Helper()
	server, err := sharedServer()
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	asked, dsn, err := server.create(ctx, "", template)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		if err := server.DropDatabase(ctx, asked); err != nil {
			t.Errorf("pgtest: %v", err)
		}
	})
	return dsn
}

// Pool returns a pool on a fresh database (see New). When the test ends it is closed, which waits for connections that
// the test did not give back.
func Pool(t testing.TB) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(context.Background(), New(t))
	if err != nil {
		t.Fatalf("pgtest: open pool: %v", err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func sharedServer() (*Server, error) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if !shared.ready {
		return nil, fmt.Errorf("no server: TestMain must call os.Exit(pgtest.Main(m))")
	}
	if shared.server == nil && shared.startErr == nil {
		shared.server, shared.startErr = startShared()
	}
	return shared.server, shared.startErr
}

func startShared() (*Server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	server, err := Start(ctx, &Config{InMemory: true})
	if err != nil {
		return nil, err
	}
	dsn, err := server.CreateDatabase(ctx, template, "")
	for _, migrate := range shared.migrate {
		if err != nil {
			break
		}
		err = migrate(ctx, dsn)
	}
	if err != nil {
		return server, fmt.Errorf("set up the template database: %w", err)
	}
	return server, nil
}

func closeShared() error {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.server == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	return shared.server.Close(ctx)
}
