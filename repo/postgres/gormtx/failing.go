package gormtx

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// failing is a handle that refuses everything with one error.
type failing struct{ err error }

func (f failing) Exec(context.Context, string, ...any) (pgconn.CommandTag, error) {
	return pgconn.CommandTag{}, f.err
}

func (f failing) Query(context.Context, string, ...any) (pgx.Rows, error) { return nil, f.err }

func (f failing) QueryRow(context.Context, string, ...any) pgx.Row { return f }

func (f failing) SendBatch(_ context.Context, batch *pgx.Batch) pgx.BatchResults {
	return pgx.FailedBatchResults(batch, f.err)
}

func (f failing) CopyFrom(context.Context, pgx.Identifier, []string, pgx.CopyFromSource) (int64, error) {
	return 0, f.err
}

// Scan implements [pgx.Row].
func (f failing) Scan(...any) error { return f.err }
