package postgres_test

import (
	"context"
	"encoding/binary"
	"net"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/internal/pgtest"
)

// wire counts what goes over the connections of a pool: what an operation costs
// behind a network, whatever the machine does meanwhile.
type wire struct {
	mu sync.Mutex
	traffic
}

// traffic is what went over the wire.
type traffic struct {
	// Trips are round trips: how often the client waited for an answer to
	// something that it had sent since its last answer.
	Trips int
	// Statements are those that the server executed, in pipelines or alone.
	Statements int
}

// counted returns a pool of one connection, and the count of its traffic. Every
// statement is in the cache of that connection once it ran.
func counted(t *testing.T, options ...func(*pgxpool.Config)) (*pgxpool.Pool, *wire) {
	t.Helper()
	cfg, err := pgxpool.ParseConfig(pgtest.New(t))
	require.NoError(t, err)
	w, dial := &wire{}, cfg.ConnConfig.DialFunc
	cfg.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &countedConn{Conn: conn, wire: w}, nil
	}
	for _, option := range options {
		option(cfg)
	}
	cfg.MaxConns = 1
	cfg.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false }
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pool, w
}

// during returns the traffic while fn runs.
func (w *wire) during(fn func()) traffic {
	before := w.now()
	fn()
	after := w.now()
	return traffic{after.Trips - before.Trips, after.Statements - before.Statements}
}

func (w *wire) now() traffic {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.traffic
}

// countedConn is one connection that counts.
type countedConn struct {
	net.Conn
	wire *wire

	mu      sync.Mutex
	asked   bool // something was sent since the last answer
	started bool
	rest    []byte // the beginning of a message whose end was not sent yet
}

func (c *countedConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	c.asked = true
	statements := c.statements(p)
	c.mu.Unlock()
	c.wire.mu.Lock()
	c.wire.Statements += statements
	c.wire.mu.Unlock()
	return c.Conn.Write(p)
}

func (c *countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	answered := n > 0 && c.asked
	if answered {
		c.asked = false
	}
	c.mu.Unlock()
	if answered {
		c.wire.mu.Lock()
		c.wire.Trips++
		c.wire.mu.Unlock()
	}
	return n, err
}

// sslRequest and gssRequest ask for encryption before a connection starts.
const sslRequest, gssRequest = 80877103, 80877104

// statements counts the messages that execute something.
func (c *countedConn) statements(p []byte) (n int) {
	c.rest = append(c.rest, p...)
	for {
		kind, head := byte(0), 0
		if c.started {
			head = 1
		}
		if len(c.rest) < head+4 {
			return n
		}
		if c.started {
			kind = c.rest[0]
		}
		size := head + int(binary.BigEndian.Uint32(c.rest[head:]))
		if len(c.rest) < size {
			return n
		}
		if !c.started {
			code := binary.BigEndian.Uint32(c.rest[4:])
			c.started = code != sslRequest && code != gssRequest
		}
		if kind == 'E' || kind == 'Q' {
			n++
		}
		c.rest = c.rest[size:]
	}
}
