package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger/internal/ledgerdb"
)

// DecideCapture puts the mode into force that decide names after a look at the
// state; zero means the one in force. No policy is changed meanwhile: what a
// step found out about the mode under the same lock is true until it is
// committed. It reports whether the mode was changed. Transactions that an
// earlier mode let through are not waited for: see [Store.SettleCapture].
func (s *Store) DecideCapture(
	ctx context.Context, m Migration, side flags.Side, decide func(*State) (CaptureMode, error),
) (changed bool, err error) {
	operation := fmt.Sprintf("switch capture of the %s side of %s", side, m.Name)
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	err = s.inTx(ctx, pgx.TxOptions{}, func(q *ledgerdb.Queries) error {
		row, err := q.LockMigration(ctx, m.Name)
		if errors.Is(err, pgx.ErrNoRows) {
			return unknown(ctx, q, m.Name)
		}
		if err != nil {
			return fmt.Errorf("lock the migration: %w", err)
		}
		state, err := load(ctx, q, row)
		if err != nil {
			return err
		}
		mode, err := decide(state)
		if err != nil || mode == 0 {
			return err
		}
		held, err := captureSide(ctx, q, m, side)
		if err != nil || captureMode(held.Value) == mode {
			return err
		}
		changed = true
		return q.SetCaptureValue(ctx, ledgerdb.SetCaptureValueParams{MigrationID: m.ID, Side: side.String(), Value: held.Value + 1})
	})
	return changed && err == nil, wrap(operation, err)
}

// HoldSwitches keeps others who ask from switching the modes of capture, until
// release is called or the process dies. It reports false, and holds nothing,
// while somebody else does. It uses a connection of the pool all the time.
func (s *Store) HoldSwitches(ctx context.Context, m Migration) (release func(), held bool, err error) {
	operation := "hold the modes of capture of " + m.Name
	begin, cancel := s.bounded(ctx)
	defer cancel()
	tx, err := s.pool.Begin(begin)
	if err != nil {
		return nil, false, wrap(operation, err)
	}
	release = func() {
		ctx, cancel := s.bounded(context.WithoutCancel(ctx))
		defer cancel()
		_ = tx.Rollback(ctx) // a connection that is gone holds nothing either
	}
	held, err = s.q.WithTx(tx).TryHoldSwitches(begin, m.ID)
	if err != nil || !held {
		release()
		return nil, false, wrap(operation, err)
	}
	return release, true, nil
}
