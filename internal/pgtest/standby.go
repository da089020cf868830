//go:build unix

package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
)

// Standby makes a copy of the server that follows it by streaming replication, asynchronously, and answers reads. Both
// are closed by themselves. A server named by EnvURL has none: use Config.Own.
func (s *Server) Standby(ctx context.Context) (*Server, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ownOpen("copy"); err != nil {
		return nil, err
	}
	c := &cluster{cfg: s.cfg, bin: s.cluster.bin, account: s.cluster.account, password: s.cluster.password}
	standby := &Server{cfg: s.cfg, cluster: c}
	if err := c.follow(ctx, s.cluster); err != nil {
		cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		return nil, errors.Join(err, standby.Close(cleanup))
	}
	standby.url = c.url()
	return standby, nil
}

// follow copies the primary into a folder of the standby's own and starts it.
func (c *cluster) follow(ctx context.Context, primary *cluster) error {
	c.folder = filepath.Join(filepath.Dir(primary.folder), "crossfade-pg-"+randomHex(6))
	if err := c.makeFolder(); err != nil {
		return fmt.Errorf("make folder %s: %w", c.folder, err)
	}
	logPath := filepath.Join(c.folder, "basebackup.log")
	log, err := os.Create(logPath)
	if err != nil {
		return fmt.Errorf("make pg_basebackup's log: %w", err)
	}
	defer log.Close()
	cmd := c.command()
	cmd.Stdout, cmd.Stderr = log, log
	copying, err := startGuard(cmd, guardScript, filepath.Join(c.bin, "pg_basebackup"), "--pgdata="+c.data(),
		"--dbname="+primary.url(), "--wal-method=stream", "--checkpoint=fast", "--write-recovery-conf", "--no-sync")
	if err != nil {
		return err
	}
	if err := copying.wait(ctx); err != nil {
		if ctx.Err() != nil {
			err = errors.Join(err, copying.abandon())
		}
		return fmt.Errorf("pg_basebackup: %w: %s", err, tail(logPath, 0))
	}
	if c.log, err = os.OpenFile(c.logPath(), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600); err != nil {
		return fmt.Errorf("open the server's log: %w", err)
	}
	return c.startAnyPort(ctx)
}

// CaughtUp waits until a standby has replayed everything that its primary had written when it was called.
func (s *Server) CaughtUp(ctx context.Context, primary *Server) error {
	var written string
	if err := askOne(ctx, primary.url, "select pg_current_wal_insert_lsn()::text", &written); err != nil {
		return fmt.Errorf("ask the primary what it has written: %w", err)
	}
	return s.await(ctx, "catch up", "select coalesce(pg_last_wal_replay_lsn() >= '"+written+"'::pg_lsn, false)")
}

// Detach ends the replication: what the primary writes from now on never reaches the standby. Reads go on.
func (s *Server) Detach(ctx context.Context) error {
	for _, statement := range []string{"alter system set primary_conninfo = ''", "select pg_reload_conf()"} {
		if err := s.maintain(ctx, statement); err != nil {
			return fmt.Errorf("detach the standby: %w", err)
		}
	}
	return s.await(ctx, "let go of its primary", "select not exists (select from pg_stat_wal_receiver)")
}

// Promote makes a standby a server of its own, which takes writes, and returns when it does.
func (s *Server) Promote(ctx context.Context) error {
	if err := s.maintain(ctx, "select pg_promote(false)"); err != nil {
		return fmt.Errorf("promote the standby: %w", err)
	}
	return s.await(ctx, "take writes", "select not pg_is_in_recovery()")
}

// await asks the server until it says yes.
func (s *Server) await(ctx context.Context, what, query string) error {
	for {
		var yes bool
		if err := askOne(ctx, s.url, query, &yes); err != nil {
			return fmt.Errorf("wait for the standby to %s: %w", what, err)
		}
		if yes {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the standby to %s: %w", what, ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func askOne(ctx context.Context, url, query string, into any) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return conn.QueryRow(ctx, query).Scan(into)
}
