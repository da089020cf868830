package pgtest

import (
	"context"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// givenServer names the test process's own server in EnvURL.
func givenServer(t *testing.T) string {
	t.Helper()
	New(t)
	dsn := shared.server.URL()
	t.Setenv(EnvURL, dsn)
	return dsn
}

func useGiven(t *testing.T) *Server {
	t.Helper()
	server, err := Start(t.Context(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, server.Close(context.Background())) })
	return server
}

func databaseNames(t *testing.T, dsn, like string) int {
	t.Helper()
	return ask[int](t, dsn, "select count(*) from pg_database where datname like $1", like)
}

func TestGivenServer(t *testing.T) {
	dsn := givenServer(t)
	first, second := useGiven(t), useGiven(t)
	assert.True(t, first.Given())
	assert.Equal(t, dsn, first.URL())

	a, err := first.CreateDatabase(t.Context(), "shop", "")
	require.NoError(t, err)
	b, err := second.CreateDatabase(t.Context(), "shop", "")
	require.NoError(t, err, "two runs may use the same name")
	assert.NotEqual(t, a, b)
	assert.Regexp(t, `^crossfade_test_[0-9a-f]{8}_shop$`, ask[string](t, a, "select current_database()"))
	require.NoError(t, execute(t.Context(), a, "create table mark as select 5 as n"))
	clone, err := first.CreateDatabase(t.Context(), "", "shop")
	require.NoError(t, err, "a template is named as it was asked for")
	assert.Equal(t, 5, ask[int](t, clone, "select n from mark"))

	for _, err := range []error{
		first.Stop(t.Context(), "fast"), first.Start(t.Context()), first.Restart(t.Context(), "fast"),
	} {
		require.ErrorIs(t, err, ErrGiven)
	}

	require.NoError(t, first.Close(t.Context()))
	assert.Zero(t, databaseNames(t, dsn, first.databases.prefix+"%"), "everything of the first run is dropped")
	assert.Equal(t, 1, databaseNames(t, dsn, second.databases.prefix+"%"), "and nothing of the second")
}

func TestGivenServerIsClearedOfDeadRuns(t *testing.T) {
	dsn := givenServer(t)
	for _, name := range []string{"crossfade_test_deadbeef_1", "crossfade_test_not_a_run"} {
		require.NoError(t, execute(t.Context(), dsn, "create database "+name))
		t.Cleanup(func() {
			assert.NoError(t, execute(context.Background(), dsn, "drop database if exists "+name))
		})
	}
	alive := useGiven(t)
	_, err := alive.CreateDatabase(t.Context(), "alive", "")
	require.NoError(t, err)
	useGiven(t)
	assert.Zero(t, databaseNames(t, dsn, "crossfade_test_deadbeef_1"), "a killed run's database goes")
	assert.Equal(t, 1, databaseNames(t, dsn, "crossfade_test_not_a_run"), "somebody else's stays")
	assert.Equal(t, 1, databaseNames(t, dsn, alive.databases.prefix+"alive"), "a living run's stays")
}

func TestOwnServerBesideAGivenOne(t *testing.T) {
	dsn := givenServer(t)
	server, _ := startOwn(t, nil)
	assert.False(t, server.Given())
	assert.NotEqual(t, dsn, server.URL())
}

func TestWrongGivenServer(t *testing.T) {
	dsn := givenServer(t)
	u, err := url.Parse(dsn)
	require.NoError(t, err)
	require.NoError(t, execute(t.Context(), dsn, "create role weak login password 'hunter2'"))
	t.Cleanup(func() { assert.NoError(t, execute(context.Background(), dsn, "drop role weak")) })

	with := func(change func(u *url.URL)) string {
		changed := *u
		change(&changed)
		return changed.String()
	}
	for name, c := range map[string]struct{ dsn, want string }{
		"no DSN at all":        {"postgres://crossfade:hunter2@host:port/x", "cannot parse"},
		"nobody listens":       {"postgres://crossfade:hunter2@127.0.0.1:1/x", "host 127.0.0.1, port 1, user crossfade"},
		"wrong password":       {with(func(u *url.URL) { u.User = url.UserPassword("weak", "hunter22") }), "user weak"},
		"no such database":     {with(func(u *url.URL) { u.Path = "/nowhere" }), `database "nowhere" does not exist`},
		"user without a right": {with(func(u *url.URL) { u.User = url.UserPassword("weak", "hunter2") }), "CREATEDB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(EnvURL, c.dsn)
			_, err := Start(t.Context(), nil)
			var wrong *GivenServerError
			require.ErrorAs(t, err, &wrong)
			assert.ErrorContains(t, err, c.want)
			assert.ErrorContains(t, err, EnvURL, "says what to correct")
			assert.NotContains(t, err.Error(), "hunter2", "never shows the password")
		})
	}
}
