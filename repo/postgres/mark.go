package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// The statements of the application's own in a transaction of several
// repositories. They are not the operation's before them: its mark is taken
// away first, so that capture records what they write. That costs a round trip,
// and only where capture stands.

// Exec implements [DBTX].
func (tx *Tx) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if err := tx.unmark(ctx); err != nil {
		return pgconn.CommandTag{}, err
	}
	return tx.handle.Exec(ctx, sql, args...)
}

// Query implements [DBTX].
func (tx *Tx) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if err := tx.unmark(ctx); err != nil {
		return nil, err
	}
	return tx.handle.Query(ctx, sql, args...) //nolint:rowserrcheck // the rows are the caller's
}

// QueryRow implements [DBTX].
func (tx *Tx) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	if err := tx.unmark(ctx); err != nil {
		return errRow{err}
	}
	return tx.handle.QueryRow(ctx, sql, args...)
}

// SendBatch implements [DBTX].
func (tx *Tx) SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults {
	if err := tx.unmark(ctx); err != nil {
		return errBatch{err}
	}
	return tx.handle.SendBatch(ctx, batch)
}

// CopyFrom implements [DBTX].
func (tx *Tx) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error) {
	if err := tx.unmark(ctx); err != nil {
		return 0, err
	}
	return tx.handle.CopyFrom(ctx, table, columns, rows)
}

// markUnfenced says that what follows is the application's own write although no
// fence marked it, and takes the mark of the operation before away. Operations in
// a row of one migration say it once.
func (tx *Tx) markUnfenced(ctx context.Context, migration string) error {
	if tx.unfenced == migration {
		return nil
	}
	tx.marked = true // also where it fails: then nothing is known
	if _, err := tx.handle.Exec(ctx, "select set_config('crossfade.mark', '', true), set_config('crossfade.unfenced', $1, true)", migration); err != nil {
		return fmt.Errorf("say that the write runs without a fence: %w", busy(err))
	}
	tx.unfenced = migration
	return nil
}

// queueFenced ends, on the way to the fence, what markUnfenced said.
func (tx *Tx) queueFenced() {
	if tx.unfenced != "" {
		tx.queue.add(statement{sql: "select set_config('crossfade.unfenced', '', true)"})
	}
}

// unmark takes away the mark of an operation, and what [Tx.markUnfenced] said. In a
// transaction that has failed there is nothing to protect: a savepoint to which
// it is rolled back was set without a mark.
func (tx *Tx) unmark(ctx context.Context) error {
	if !tx.marked || tx.closed.Load() {
		return nil
	}
	_, err := tx.handle.Exec(ctx, "select set_config('crossfade.mark', '', true), set_config('crossfade.unfenced', '', true)")
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "25P02" { // in_failed_sql_transaction
		tx.unfenced = ""
		return nil
	}
	if err != nil {
		return fmt.Errorf("take the mark of the operation before away: %w", busy(err))
	}
	tx.marked, tx.unfenced = false, ""
	return nil
}
