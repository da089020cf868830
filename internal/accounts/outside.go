package accounts

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
)

// OutsideKey is the one key that writers outside the application write. They
// take no key locks, so that what reads and then writes would lose their
// updates: the application reads and writes this key by single statements only.
const OutsideKey = Named + 1

// MadeByDatabase tells the keys that the database made from those that
// clients name.
func MadeByDatabase(key int64) bool { return key > 1000 }

// CaptureTables are the tables of a side.
func CaptureTables(side flags.Side) (tables []backfill.CaptureTable) {
	names := []string{"accounts_v1"}
	if side == flags.NewSide {
		names = []string{"people_v2", "purses_v2"}
	}
	for _, name := range names {
		tables = append(tables, backfill.CaptureTable{Schema: "public", Table: name, Tenant: "tenant", Key: []string{"id"}})
	}
	return tables
}

// Outside writes [OutsideKey] on one side as a program would that knows nothing
// of Crossfade, in a transaction that stays open for a while, and fills the
// turn's answer. Of the session it needs the pool alone.
func Outside(ctx context.Context, t *Turn, side flags.Side, isolation pgx.TxIsoLevel, stay time.Duration) {
	a := t.account(OutsideKey)
	one := []struct {
		act     Act
		refusal error
		write   func(Accounts) error
	}{
		{Act{Kind: ActPut, Row: rowOf(a)}, nil, func(r Accounts) error { return r.Put(ctx, t.Tenant, t.write(a)) }},
		{Act{Kind: ActAdd, Row: Row{Balance: a.Balance}}, ErrNone, func(r Accounts) error { return r.Add(ctx, t.Tenant, t.write(a)) }},
		{Act{Kind: ActRename, Row: Row{Name: a.Name}}, ErrNone, func(r Accounts) error { return r.Rename(ctx, t.Tenant, t.write(a)) }},
		{Act{Kind: ActDelete}, ErrNone, func(r Accounts) error { return r.Delete(ctx, t.Tenant, t.write(a)) }},
		{Act{Kind: ActCreate, Row: rowOf(a)}, ErrExists, func(r Accounts) error { return r.Create(ctx, t.Tenant, t.write(a)) }},
	}[t.Random.IntN(5)]
	one.act.Key = OutsideKey
	tx, err := t.Pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: isolation})
	if err == nil {
		defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
		err = t.answered(one.act, one.write(VersionOf(side)(tx)), one.refusal)
	}
	if err == nil && !t.Acts[0].None {
		Pause(ctx, stay)
		err = tx.Commit(ctx)
		var refused *pgconn.PgError
		if err != nil && !errors.As(err, &refused) && !errors.Is(err, pgx.ErrTxCommitRollback) || refused != nil && refused.Severity == "FATAL" {
			err = &repo.UnknownOutcomeError{Err: err}
		}
	}
	t.conclude(err)
}
