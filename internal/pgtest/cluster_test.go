package pgtest

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// startOwn starts a cluster of the test's own below a base folder of its own, which must be empty in the end.
func startOwn(t *testing.T, cfg *Config) (server *Server, base string) {
	t.Helper()
	base = reachableBase(t)
	t.Setenv("TMPDIR", base)
	if cfg == nil {
		cfg = &Config{}
	}
	cfg.Own = true
	server, err := Start(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, server.Close(context.Background())) })
	return server, base
}

// reachableBase makes a folder that the server's user can enter; t.TempDir's is closed to others.
func reachableBase(t *testing.T) string {
	t.Helper()
	account, err := serverAccount()
	require.NoError(t, err)
	below, err := account.baseFolder(false)
	require.NoError(t, err)
	base, err := os.MkdirTemp(below, "pgtest-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(base, 0o755))
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(base)) })
	return base
}

func requireNothingLeft(t *testing.T, base string) {
	t.Helper()
	entries, err := os.ReadDir(base)
	require.NoError(t, err)
	require.Empty(t, entries, "a folder was left behind")
	require.Empty(t, processesOf(t, base), "a process was left behind")
}

func TestClose(t *testing.T) {
	server, base := startOwn(t, nil)
	require.NotEmpty(t, processesOf(t, base), "the check for processes finds none, so it proves nothing")
	conn, err := pgx.Connect(t.Context(), server.URL())
	require.NoError(t, err)

	require.NoError(t, server.Close(t.Context()), "a session does not hold it up")
	requireNothingLeft(t, base)
	require.NoError(t, server.Close(t.Context()), "closing again is no error")
	require.ErrorContains(t, server.Start(t.Context()), "closed")
	assert.Error(t, conn.Ping(t.Context()))
}

func TestCloseWithEndedContextStillClearsAway(t *testing.T) {
	server, base := startOwn(t, nil)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, server.Close(ended), context.Canceled)
	awaitNothingLeft(t, base)
}

func TestServerRunsUnprivileged(t *testing.T) {
	_, base := startOwn(t, nil)
	data, err := filepath.Glob(filepath.Join(base, "*", "data"))
	require.NoError(t, err)
	require.Len(t, data, 1)
	info, err := os.Stat(data[0])
	require.NoError(t, err)
	owner := info.Sys().(*syscall.Stat_t).Uid
	assert.NotZero(t, owner, "the data folder belongs to root")
	if os.Geteuid() != 0 {
		assert.EqualValues(t, os.Geteuid(), owner)
	}
	pid, err := os.ReadFile(filepath.Join(data[0], "postmaster.pid"))
	require.NoError(t, err, "%s", pid)
}

func TestRootUsesAFolderThatTheServersUserCanEnter(t *testing.T) {
	closed := filepath.Join(reachableBase(t), "closed")
	require.NoError(t, os.Mkdir(closed, 0o700))
	inside := filepath.Join(closed, "tmp")
	require.NoError(t, os.Mkdir(inside, 0o755))
	stranger := account{name: "stranger", uid: 54321, gid: 54321, drop: true}
	assert.False(t, stranger.reaches(inside))
	t.Setenv("TMPDIR", inside)
	base, err := stranger.baseFolder(false)
	require.NoError(t, err)
	assert.NotEqual(t, inside, base)
}

func TestRestart(t *testing.T) {
	server, _ := startOwn(t, nil)
	require.NoError(t, execute(t.Context(), server.URL(), "create table kept as select 7 as n"))
	require.NoError(t, execute(t.Context(), server.URL(), "checkpoint"))
	before := server.URL()
	for _, mode := range []string{"smart", "fast", "immediate"} {
		require.NoError(t, server.Restart(t.Context(), mode), mode)
		assert.Equal(t, before, server.URL(), "the port stays")
		assert.Equal(t, 7, ask[int](t, server.URL(), "select n from kept"))
	}
	require.ErrorContains(t, server.Restart(t.Context(), "gently"), `unknown mode "gently"`)

	require.NoError(t, server.Stop(t.Context(), "fast"))
	require.NoError(t, server.Stop(t.Context(), "fast"), "stopping again is no error")
	_, err := pgx.Connect(t.Context(), server.URL())
	require.Error(t, err)
	require.NoError(t, server.Start(t.Context()))
	require.NoError(t, server.Start(t.Context()), "starting again is no error")
	assert.Equal(t, 7, ask[int](t, server.URL(), "select n from kept"))
}

func TestStopThatTakesTooLongCanBeTriedAgain(t *testing.T) {
	server, _ := startOwn(t, nil)
	conn, err := pgx.Connect(t.Context(), server.URL())
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, server.Stop(ctx, "smart"), context.Canceled, "smart waits for the session")
	require.NoError(t, server.Stop(t.Context(), "fast"))
	assert.Error(t, conn.Ping(t.Context()))
	require.NoError(t, server.Start(t.Context()))
}

func TestSettings(t *testing.T) {
	var log lockedBuffer
	server, _ := startOwn(t, &Config{
		Settings: map[string]string{"max_connections": "37", "application_name": "it's", "log_statement": "all"},
		Log:      &log,
	})
	for name, want := range map[string]string{
		"max_connections": "37", "application_name": "it's", "fsync": "off",
		"server_encoding": "UTF8", "lc_collate": "C", "listen_addresses": "127.0.0.1", "unix_socket_directories": "",
	} {
		assert.Equal(t, want, ask[string](t, server.URL(), "select current_setting($1)", name), name)
	}
	require.NoError(t, server.Stop(t.Context(), "fast"))
	assert.Contains(t, log.String(), "select current_setting($1)", "Log receives what the server logs")

	durable, _ := startOwn(t, &Config{Fsync: true})
	assert.Equal(t, "on", ask[string](t, durable.URL(), "show fsync"))
	assert.Equal(t, "on", ask[string](t, durable.URL(), "show synchronous_commit"))
}

func TestStrangersNeedThePassword(t *testing.T) {
	server, _ := startOwn(t, nil)
	config, err := pgx.ParseConfig(server.URL())
	require.NoError(t, err)
	config.Password = "guessed"
	_, err = pgx.ConnectConfig(t.Context(), config)
	require.ErrorContains(t, err, "password authentication failed")
}

func TestFailedStartNamesTheReasonAndLeavesNothing(t *testing.T) {
	base, bin := reachableBase(t), reachableBase(t)
	t.Setenv("TMPDIR", base)
	t.Run("a setting that does not exist", func(t *testing.T) {
		_, err := Start(t.Context(), &Config{Own: true, Settings: map[string]string{"no_such_setting": "1"}})
		require.ErrorContains(t, err, `unrecognized configuration parameter "no_such_setting"`)
		requireNothingLeft(t, base)
	})
	t.Run("a context that has ended", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := Start(ctx, &Config{Own: true})
		require.ErrorIs(t, err, context.Canceled)
		requireNothingLeft(t, base)
	})
	t.Run("programs that fail", func(t *testing.T) {
		for _, program := range []string{"initdb", "postgres"} {
			script := "#!/bin/sh\necho broken on purpose >&2\nexit 3\n"
			require.NoError(t, os.WriteFile(filepath.Join(bin, program), []byte(script), 0o755))
		}
		t.Setenv("PGBIN", bin)
		_, err := Start(t.Context(), &Config{Own: true})
		require.ErrorContains(t, err, "broken on purpose")
		requireNothingLeft(t, base)
	})
}

func TestTakenPort(t *testing.T) {
	server, _ := startOwn(t, nil)
	c := server.cluster
	require.NoError(t, server.Stop(t.Context(), "fast"))
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(c.port)))
	require.NoError(t, err)

	require.ErrorIs(t, c.start(t.Context()), errPortTaken, "the server reports it, so that another port is drawn")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, server.Start(ctx), context.Canceled)
	require.NoError(t, listener.Close())
	require.NoError(t, server.Start(t.Context()), "once it is free again, the same port is taken")
}

func TestClustersStartAtOnce(t *testing.T) {
	base := reachableBase(t)
	t.Setenv("TMPDIR", base)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			server, err := Start(t.Context(), &Config{Own: true})
			if assert.NoError(t, err) {
				assert.NoError(t, server.Close(t.Context()))
			}
		})
	}
	wg.Wait()
	requireNothingLeft(t, base)
}

// lockedBuffer is a buffer that the server's log may be copied into while a test reads it.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
