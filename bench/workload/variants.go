package workload

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/bench/workload/items"
	"github.com/crossfade-db/crossfade/bench/workload/items/v1"
	"github.com/crossfade-db/crossfade/bench/workload/items/v1orm"
	"github.com/crossfade-db/crossfade/bench/workload/items/v2"
)

// Do is one operation on a row picked by i.
type Do func(ctx context.Context, i int) error

// V1 is version 1 without Crossfade, by sqlc.
func (a *App) V1() items.Items { return v1.New(a.Pool) }

// V2 is version 2 without Crossfade, by sqlc.
func (a *App) V2() items.Items { return v2.New(a.Pool) }

// V1ORM is version 1 without Crossfade, by GORM as shared connections want it: without its default transaction.
func (a *App) V1ORM() items.Items { return v1orm.New(a.ORM) }

// V1TxORM is version 1 without Crossfade, by GORM as it comes.
func (a *App) V1TxORM() items.Items { return v1orm.New(a.TxORM) }

// Read reads a row of those that are only read.
func (a *App) Read(from items.Items) func(ctx context.Context, i int) (items.Item, error) {
	return func(ctx context.Context, i int) (items.Item, error) {
		tenant, id := a.readRow(i)
		return from.Get(ctx, tenant, id)
	}
}

// Get is Read for those who do not look at the answer.
func (a *App) Get(from items.Items) Do {
	return func(ctx context.Context, i int) error {
		tenant, id := a.readRow(i)
		_, err := from.Get(ctx, tenant, id)
		return err
	}
}

// SetStock writes a row of those that are written: one update by primary key.
func (a *App) SetStock(on items.Items) Do {
	return func(ctx context.Context, i int) error {
		tenant, id := a.writeRow(i)
		return on.SetStock(ctx, tenant, id, int64(i), writtenAt)
	}
}

// Sequential writes both versions by hand as a careful programmer would: in one transaction, under a lock of the key,
// statement by statement. It is five round trips.
func (a *App) Sequential() Do {
	return func(ctx context.Context, i int) (err error) {
		tenant, id := a.writeRow(i)
		tx, err := a.Pool.Begin(ctx)
		if err != nil {
			return err
		}
		defer func() {
			if rerr := tx.Rollback(context.WithoutCancel(ctx)); err != nil && !errors.Is(rerr, pgx.ErrTxClosed) {
				err = errors.Join(err, rerr)
			}
		}()
		if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock(hashtextextended($1, $2))", tenant, id); err != nil {
			return fmt.Errorf("lock the key: %w", err)
		}
		if err := v1.New(tx).SetStock(ctx, tenant, id, int64(i), writtenAt); err != nil {
			return err
		}
		if err := v2.New(tx).SetStock(ctx, tenant, id, int64(i), writtenAt); err != nil {
			return err
		}
		return tx.Commit(ctx)
	}
}

// Triggered writes the one table on which a trigger writes version 2's.
func (a *App) Triggered() Do {
	return func(ctx context.Context, i int) error {
		tenant, id := a.writeRow(i)
		_, err := a.Pool.Exec(ctx, "update bench.items_triggered set stock = $1, updated_at = $2 where tenant = $3 and id = $4",
			int64(i), writtenAt, tenant, id)
		return err
	}
}

// RoundTrip asks the server for nothing.
func (a *App) RoundTrip(ctx context.Context, _ int) error {
	var one int
	return a.Pool.QueryRow(ctx, "select 1").Scan(&one)
}
