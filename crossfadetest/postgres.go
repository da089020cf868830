package crossfadetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/ledger"
)

const (
	startTimeout = 2 * time.Minute  // the machine may be busy with other packages' tests
	closeTimeout = 30 * time.Second // of a database or the server
)

// Setup makes the tables of a template database. It runs once per process for
// each set of setups. Tools that want a DSN find it in
// conn.Config().ConnString(); a setup must leave no session of its own behind.
//
// Two setups are the same if they are one function, or one closure: keep a
// closure in a variable of the package, or each test makes a template anew.
type Setup func(ctx context.Context, conn *pgx.Conn) error

// SQL is a [Setup] that runs statements, such as those of a schema.sql. Equal
// texts are the same setup.
func SQL(statements string) Setup {
	server.mu.Lock()
	defer server.mu.Unlock()
	if known, ok := server.texts[statements]; ok {
		return known
	}
	var setup Setup = func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, statements)
		return err
	}
	if server.texts == nil {
		server.texts = map[string]Setup{}
	}
	server.texts[statements] = setup
	return setup
}

// server is the one server of a test process.
var server sharedServer

type sharedServer struct {
	mu        sync.Mutex
	running   *pgtest.Server
	err       error // of the start, which is not tried again
	number    int   // of the last database
	texts     map[string]Setup
	templates map[string]*template
}

// template is a database to clone.
type template struct {
	name   string
	setups []Setup // kept, so that no other closure takes the place of one in memory
	once   sync.Once
	err    error
}

// Postgres returns a pool on a database of the test's own, made as a clone of a
// template that the setups filled once: the ledger is in it, and what the
// setups made. When the test ends the pool is closed and the database dropped.
// Tests may call it in parallel.
//
// The database is on a throw-away server, which starts with the first call
// from the programs that the machine has, and is gone when the process ends;
// or on the server that CROSSFADE_DATABASE_URL names.
func Postgres(t testing.TB, setup ...Setup) *pgxpool.Pool {
	t.Helper()
	return open(t, newDatabase(t, setup), "crossfadetest", 0)
}

// newDatabase returns the DSN of a clone, which is dropped when the test ends.
func newDatabase(t testing.TB, setups []Setup) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	running, err := server.start(ctx)
	if err != nil {
		t.Fatalf("crossfadetest: %v", err)
	}
	from, err := server.template(ctx, running, setups)
	if err != nil {
		t.Fatalf("crossfadetest: set up the template database: %v", err)
	}
	name := server.name("test")
	dsn, err := running.CreateDatabase(ctx, name, from)
	if err != nil {
		t.Fatalf("crossfadetest: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		if err := running.DropDatabase(ctx, name); err != nil {
			t.Errorf("crossfadetest: %v", err)
		}
	})
	return dsn
}

// open returns a pool that is closed when the test ends. Zero connections mean
// the usual number.
func open(t testing.TB, dsn, name string, connections int32) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		t.Fatalf("crossfadetest: read the database's address: %v", err)
	}
	config.ConnConfig.RuntimeParams["application_name"] = name
	if connections > 0 {
		config.MaxConns = connections
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		t.Fatalf("crossfadetest: open pool: %v", err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func (s *sharedServer) start(ctx context.Context) (*pgtest.Server, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == nil && s.err == nil {
		s.running, s.err = pgtest.Start(ctx, &pgtest.Config{InMemory: true})
	}
	return s.running, s.err
}

func (s *sharedServer) name(kind string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.number++
	return fmt.Sprintf("%s_%d", kind, s.number)
}

// template returns the name of the database to clone for a set of setups.
func (s *sharedServer) template(ctx context.Context, running *pgtest.Server, setups []Setup) (string, error) {
	key := keyOf(setups)
	s.mu.Lock()
	if s.templates == nil {
		s.templates = map[string]*template{}
	}
	made, ok := s.templates[key]
	if !ok {
		s.number++
		made = &template{name: fmt.Sprintf("template_%d", s.number), setups: setups}
		s.templates[key] = made
	}
	s.mu.Unlock()
	made.once.Do(func() { made.err = made.fill(ctx, running) })
	return made.name, made.err
}

func (d *template) fill(ctx context.Context, running *pgtest.Server) error {
	dsn, err := running.CreateDatabase(ctx, d.name, "")
	if err != nil {
		return err
	}
	if err := ledger.Migrate(ctx, dsn); err != nil {
		return err
	}
	if len(d.setups) == 0 {
		return nil
	}
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	for _, setup := range d.setups {
		if err == nil {
			err = setup(ctx, conn)
		}
	}
	return errors.Join(err, conn.Close(ctx))
}

// keyOf tells sets of setups apart. A function is the place of its closure:
// reflection shows the place of its code only, which closures share.
func keyOf(setups []Setup) string {
	var key strings.Builder
	for _, setup := range setups {
		fmt.Fprintf(&key, "%x ", *(*uintptr)(unsafe.Pointer(&setup))) //nolint:gosec // read, and never followed
	}
	return key.String()
}

// Main runs the tests of a package and returns the exit status for os.Exit. It
// is optional: without it the throw-away server is gone a moment after the
// process, and on a server that CROSSFADE_DATABASE_URL names the templates stay
// until the next run of any tests.
//
//	func TestMain(m *testing.M) { os.Exit(crossfadetest.Main(m)) }
func Main(m *testing.M) int {
	status := m.Run()
	if err := server.close(); err != nil {
		fmt.Println("crossfadetest:", err)
		status = max(status, 1)
	}
	return status
}

func (s *sharedServer) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	return s.running.Close(ctx)
}
