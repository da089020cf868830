package accounts

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// Compared is what a comparison of both sides of one tenant came to.
type Compared struct {
	Tenant string
	Stage  flags.Stage
	// Equal says that the ledger claims that both sides are equal but for
	// stale keys: only then are they compared.
	Equal bool
	// Different are keys that differ without a record.
	Different []string
}

// ErrMoved says that the policy changed while the sides were about to be compared.
var ErrMoved = errors.New("the policy changed meanwhile")

// CompareSides holds both sides of each tenant against each other in one
// snapshot, where the ledger says that they are equal but for stale keys.
func CompareSides(ctx context.Context, pool *pgxpool.Pool) ([]Compared, error) {
	tx, err := pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, fmt.Errorf("compare both sides: %w", err)
	}
	defer func() { _ = tx.Rollback(ctx) }()
	policy, err := ledger.New(pool, nil).Policy(ctx, MigrationName)
	if err != nil {
		return nil, fmt.Errorf("compare both sides: %w", err)
	}
	var epoch int64
	if err := tx.QueryRow(ctx, "select epoch from crossfade.migrations").Scan(&epoch); err != nil {
		return nil, fmt.Errorf("compare both sides: %w", err)
	}
	if epoch != policy.Epoch {
		return nil, ErrMoved
	}
	compiled, err := policy.Compile()
	if err != nil {
		return nil, err
	}
	var all []Compared
	for _, tenant := range Tenants {
		c := Compared{Tenant: tenant}
		c.Stage, _ = compiled.Stage(tenant)
		if err := c.compare(ctx, tx); err != nil {
			return nil, fmt.Errorf("compare both sides of %s: %w", tenant, err)
		}
		all = append(all, c)
	}
	return all, nil
}

func (c *Compared) compare(ctx context.Context, tx pgx.Tx) error {
	err := tx.QueryRow(ctx, `select coalesce((select backfilled_at is not null and old_complete from crossfade.tenant_states
		where tenant in ($1, '') order by tenant desc limit 1), false)`, c.Tenant).Scan(&c.Equal)
	if err != nil {
		return err
	}
	c.Equal = c.Equal && c.Stage.Plan().WritesBoth
	if !c.Equal {
		return nil
	}
	rows, err := tx.Query(ctx, `
		select format('%s: old %s, new %s', coalesce(o.id, n.id), o, n)
		from (select id, name, balance from accounts_v1 where tenant = $1) o
		full join (select id, name, amount::bigint as balance from people_v2 join purses_v2 using (tenant, id) where tenant = $1) n using (id)
		where (o.id, o.name, o.balance) is distinct from (n.id, n.name, n.balance)
		and not exists (select from crossfade.stale_keys s where s.tenant = $1 and s.key in ('*', coalesce(o.id, n.id)::text))`, c.Tenant)
	if err != nil {
		return err
	}
	c.Different, err = pgx.CollectRows(rows, pgx.RowTo[string])
	return err
}
