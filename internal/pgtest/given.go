package pgtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// givenPrefix starts the name of every database that is made on a given server; the run's number follows.
	givenPrefix = "crossfade_test_"
	// runLock is the first half of the advisory lock that shows that a run is alive; its number is the second.
	runLock = 0x63667465 // "cfte"
	// oldestServer knows DROP DATABASE ... WITH (FORCE).
	oldestServer = 130000
	// givenTimeout is how long a server that nobody answers for is waited for.
	givenTimeout = 30 * time.Second
)

// useGiven connects to the server named by EnvURL, claims a number for this run and drops what dead runs left behind.
func (s *Server) useGiven(ctx context.Context, dsn string) error {
	s.given, s.url = true, dsn
	config, err := pgx.ParseConfig(dsn) // its errors leave the password out
	if err != nil {
		return &GivenServerError{Err: err}
	}
	fail := func(err error) error {
		return &GivenServerError{
			Server: fmt.Sprintf("host %s, port %d, user %s, database %s", config.Host, config.Port, config.User, config.Database),
			Err:    err,
		}
	}
	if _, err := withDatabase(dsn, "x"); err != nil {
		return fail(err)
	}
	ctx, cancel := context.WithTimeout(ctx, givenTimeout)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return fail(err)
	}
	s.claim = conn
	var version int
	var mayCreate bool
	err = conn.QueryRow(ctx, `select current_setting('server_version_num')::int, rolcreatedb or rolsuper
		from pg_roles where rolname = current_user`).Scan(&version, &mayCreate)
	switch {
	case err != nil:
		return fail(err)
	case version < oldestServer:
		return fail(fmt.Errorf("its version is %d, and %d is the oldest that works", version/10000, oldestServer/10000))
	case !mayCreate:
		return fail(errors.New("the user may not create databases (ALTER ROLE ... CREATEDB lets it)"))
	}
	run, err := claimRun(ctx, conn)
	if err != nil {
		return fail(err)
	}
	s.databases.prefix = fmt.Sprintf("%s%08x_", givenPrefix, uint32(run))
	if err := dropDeadRuns(ctx, conn); err != nil {
		return fail(err)
	}
	return nil
}

// claimRun draws a number and holds its advisory lock for as long as the session lives.
func claimRun(ctx context.Context, conn *pgx.Conn) (run int32, err error) {
	err = conn.QueryRow(ctx, `select ('x' || $1)::bit(32)::int`, randomHex(4)).Scan(&run)
	if err != nil {
		return 0, fmt.Errorf("draw a run's number: %w", err)
	}
	if _, err := conn.Exec(ctx, `select pg_advisory_lock($1, $2)`, int32(runLock), run); err != nil {
		return 0, fmt.Errorf("claim a run's number: %w", err)
	}
	return run, nil
}

// dropDeadRuns drops the databases of runs that nobody holds the lock of: they were killed. A database in which somebody
// still works is left alone.
func dropDeadRuns(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, `
		select d.datname from pg_database d
		where d.datname ~ $1
		  and pg_has_role(d.datdba, 'member')
		  and not exists (select from pg_locks l
			where l.locktype = 'advisory' and l.objsubid = 2 and l.classid = $2::int::oid
			  and l.objid = ('x' || substr(d.datname, $3, 8))::bit(32)::int::oid)
		  and not exists (select from pg_stat_activity a where a.datname = d.datname)`,
		"^"+givenPrefix+"[0-9a-f]{8}_", runLock, len(givenPrefix)+1)
	if err != nil {
		return fmt.Errorf("list databases of dead runs: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("list databases of dead runs: %w", err)
	}
	for _, name := range names {
		// Another run may drop it at the same moment, or use it: its name comes back next time.
		_, err := conn.Exec(ctx, "drop database if exists "+quote(name))
		if err != nil && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// leaveGiven drops what this run created and gives its number back.
func (s *Server) leaveGiven(ctx context.Context) error {
	if s.claim == nil {
		return nil
	}
	var failed []string
	var errs []error
	for _, name := range s.databases.names() {
		if err := s.DropDatabase(ctx, name); err != nil {
			failed = append(failed, name)
			errs = append(errs, err)
		}
	}
	errs = append(errs, s.claim.Close(ctx))
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("leave the given server (not dropped: %s): %w", strings.Join(failed, ", "), err)
	}
	return nil
}
