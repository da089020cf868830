package server_test

import (
	"context"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/crossfade-db/crossfade/bench/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTheServerIsDurableUnlessToldOtherwiseAndGoneInTheEnd(t *testing.T) {
	ctx := t.Context()
	s, err := server.Start(ctx)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	setting := func(name string) (value string) {
		conn, err := pgx.Connect(ctx, s.DSN())
		require.NoError(t, err)
		defer conn.Close(context.WithoutCancel(ctx))
		require.NoError(t, conn.QueryRow(ctx, "select current_setting($1)", name).Scan(&value))
		return value
	}
	for _, name := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
		assert.Equal(t, "on", setting(name), name)
	}
	require.NoError(t, s.SetFsync(ctx, false))
	require.NoError(t, s.SetFsync(ctx, true))
	require.NoError(t, s.Checkpoint(ctx))
	version, err := s.Version(ctx)
	require.NoError(t, err)
	assert.Equal(t, setting("server_version"), version)

	cpu, err := s.Processor(ctx)
	require.NoError(t, err)
	used, err := cpu.Used()
	require.NoError(t, err)
	if _, err := os.Stat("/proc/self/schedstat"); err == nil {
		assert.Positive(t, used)
	}
	assert.False(t, s.Own().Given(), "whatever the environment names")

	require.NoError(t, s.Close())
	_, err = pgx.Connect(ctx, s.DSN())
	require.Error(t, err)
}
