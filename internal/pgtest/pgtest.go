// Package pgtest runs a throw-away PostgreSQL for the tests and the demonstration: a cluster of its own in a temporary
// folder, made from the server programs that the machine has, in about half a second. When CROSSFADE_DATABASE_URL names
// a server, databases are created there instead, under names of their own, and dropped at the end.
//
// Two small shells watch over every cluster: when the process that started it is gone, by Ctrl-C, a panic or kill -9,
// they stop the server and remove its folder.
//
// It never uses Docker, a fixed port or the network, never touches a cluster or a database that it did not make, and is
// no way to run a database whose content matters: by default nothing is synced to disk.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// EnvURL is the environment variable that names a running server to use instead of a throw-away cluster.
const EnvURL = "CROSSFADE_DATABASE_URL"

// closeTimeout bounds the cleaning up after a failed Start, whose own ctx may be over already.
const closeTimeout = 30 * time.Second

// Config says how a server runs. A nil Config and every zero field are useful.
type Config struct {
	// Settings are lines for postgresql.conf, which win over this package's own. A server named by EnvURL keeps its
	// own settings: use Own when a test depends on them.
	Settings map[string]string
	// Log receives what the server logs, while it runs. Nil means nowhere; the last lines are part of errors anyway.
	Log io.Writer
	// Fsync makes commits durable, for measurements that should cost what they cost in production. Defaults to false.
	Fsync bool
	// InMemory keeps the data in a memory file system, if the machine has one with room and TMPDIR is not set: for
	// tests, whose databases are small and many. Fsync prevents it. Defaults to a folder for temporary files.
	InMemory bool
	// Own starts a throw-away cluster even if EnvURL names a server: for tests that stop the server or need Settings.
	Own bool
}

// Server is a running PostgreSQL. Its methods may be called concurrently.
type Server struct {
	cfg       Config
	given     bool // named by EnvURL: not ours to stop
	url       string
	databases databases

	mu      sync.Mutex
	closed  bool
	cluster *cluster  // nil when given
	claim   *pgx.Conn // a given server: the session that shows that this run is alive
}

// Start starts a throw-away cluster, or connects to the server that EnvURL names, and returns when it accepts
// connections. ctx bounds the start only. A *NotFoundError says that no server programs were found, a *GivenServerError
// that the server named by EnvURL cannot be used. The caller must Close the server.
func Start(ctx context.Context, cfg *Config) (*Server, error) {
	s := &Server{}
	if cfg != nil {
		s.cfg = *cfg
	}
	start := s.startOwn
	if dsn := os.Getenv(EnvURL); dsn != "" && !s.cfg.Own {
		start = func(ctx context.Context) error { return s.useGiven(ctx, dsn) }
	}
	if err := start(ctx); err != nil {
		cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		return nil, errors.Join(err, s.Close(cleanup))
	}
	return s, nil
}

func (s *Server) startOwn(ctx context.Context) error {
	c, err := newCluster(ctx, s.cfg)
	s.cluster = c // also after an error: Close clears away what is there
	if err != nil {
		return err
	}
	if err := c.startAnyPort(ctx); err != nil {
		return err
	}
	s.url = c.url()
	return nil
}

// URL returns the DSN of the maintenance database, as a superuser unless the server was named by EnvURL.
func (s *Server) URL() string { return s.url }

// Given tells whether the server was named by EnvURL, so that it cannot be stopped, restarted or configured.
func (s *Server) Given() bool { return s.given }

// Stop stops the server and keeps its data and its port. Modes are "smart" (waits for sessions to end), "fast"
// (terminates them) and "immediate" (as a crash would). A server that is stopped already is no error.
func (s *Server) Stop(ctx context.Context, mode string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ownOpen("stop"); err != nil {
		return err
	}
	return s.cluster.stop(ctx, mode)
}

// Start starts a stopped server again on the same port. A server that runs already is no error.
func (s *Server) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ownOpen("start"); err != nil {
		return err
	}
	return s.cluster.startSamePort(ctx)
}

// Restart stops the server in the given mode (see Stop) and starts it again on the same port.
func (s *Server) Restart(ctx context.Context, mode string) error {
	if err := s.Stop(ctx, mode); err != nil {
		return err
	}
	return s.Start(ctx)
}

func (s *Server) ownOpen(verb string) error {
	switch {
	case s.given:
		return fmt.Errorf("%s server: %w", verb, ErrGiven)
	case s.closed:
		return fmt.Errorf("%s server: it was closed", verb)
	}
	return nil
}

// Close stops the server and removes its folder, or drops what was created on a given server. It may be called more
// than once. If ctx ends first, a throw-away cluster is cleared away all the same, a moment later.
func (s *Server) Close(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	if s.cluster != nil {
		return s.cluster.close(ctx)
	}
	return s.leaveGiven(ctx)
}

// localURL is the DSN of a database on this machine.
func localURL(user, password, database string, port int) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(user, password),
		Host:     net.JoinHostPort("127.0.0.1", strconv.Itoa(port)),
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}
