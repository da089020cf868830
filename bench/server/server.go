// Package server runs what the benchmark measures against: a throw-away PostgreSQL, and in front of it a network that
// delays.
//
// It never touches a server that it did not start.
package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/internal/pgtest"
)

// settings keep what happens by the clock out of the measurements: no autovacuum and no checkpoint falls into them.
// Everything else is as PostgreSQL comes; in particular, commits wait for the disk.
var settings = map[string]string{
	"autovacuum":         "off",
	"checkpoint_timeout": "1h",
	"max_wal_size":       "8GB",
	"shared_buffers":     "512MB",
	"max_connections":    "100",
}

// closeTimeout bounds the end.
const closeTimeout = 30 * time.Second

// Server is a throw-away PostgreSQL with one database. Its data lie in the folder for temporary files, and are gone with
// this process, however it ends.
type Server struct {
	own *pgtest.Server
	dsn string
}

// Start starts it. Close it.
func Start(ctx context.Context) (*Server, error) {
	own, err := pgtest.Start(ctx, &pgtest.Config{Own: true, Fsync: true, Settings: settings})
	if err != nil {
		return nil, err
	}
	s := &Server{own: own}
	if s.dsn, err = own.CreateDatabase(ctx, "bench", ""); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Own is the server under it.
func (s *Server) Own() *pgtest.Server { return s.own }

// DSN leads to the database without a delay.
func (s *Server) DSN() string { return s.dsn }

// Close stops the server and removes its data.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	return s.own.Close(ctx)
}

// SetFsync has commits wait for the disk, or not.
func (s *Server) SetFsync(ctx context.Context, on bool) error {
	value := map[bool]string{true: "on", false: "off"}[on]
	for _, sql := range []string{"alter system set fsync = " + value, "select pg_reload_conf()"} {
		if err := s.exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

// Version returns the server's version.
func (s *Server) Version(ctx context.Context) (version string, err error) {
	err = s.one(ctx, "show server_version", &version)
	return version, err
}

// Checkpoint writes everything that is in memory alone to the disk now, so that it does not happen later.
func (s *Server) Checkpoint(ctx context.Context) error { return s.exec(ctx, "checkpoint") }

func (s *Server) exec(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, s.dsn)
	if err != nil {
		return fmt.Errorf("connect to the database: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, sql); err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}

func (s *Server) one(ctx context.Context, sql string, into any) error {
	conn, err := pgx.Connect(ctx, s.dsn)
	if err != nil {
		return fmt.Errorf("connect to the database: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := conn.QueryRow(ctx, sql).Scan(into); err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}
