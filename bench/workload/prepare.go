// Package workload is what the benchmark runs against a database: tables of one entity in several versions, a ledger
// beside them with one migration for each state that is measured, and the application that calls them.
//
// It never times anything, and is no pattern for an application: its migrations are put in their places without a walk up
// the ladder.
package workload

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crossfade-db/crossfade/bench/peers"
	"github.com/crossfade-db/crossfade/bench/workload/items/v1"
	"github.com/crossfade-db/crossfade/bench/workload/items/v1captured"
	"github.com/crossfade-db/crossfade/bench/workload/items/v2"
	"github.com/crossfade-db/crossfade/bench/workload/items/v2split"
	"github.com/crossfade-db/crossfade/ledger"
)

// Tenants is among how many tenants the rows are spread.
const Tenants = 200

// fills make the rows of every table: The texts are as long as a name is.
var fills = []string{
	`insert into bench.items
	select 'tenant-' || g %% %d, g, 'an item on the shelf, number ' || g, g %% 1000, 100 + g %% 9900, '2026-01-01Z'
	from generate_series(0, %d) g order by 1, 2`,
	`insert into bench.items_captured select * from bench.items order by tenant, id`,
	`create table bench.items_triggered (like bench.items including all) with (fillfactor = 70)`,
	`insert into bench.items_triggered select * from bench.items order by tenant, id`,
	`insert into bench.articles select * from bench.items order by tenant, id`,
	`insert into bench.split_articles select tenant, id, name, price_cents, updated_at from bench.items order by tenant, id`,
	`insert into bench.split_levels select tenant, id, stock from bench.items order by tenant, id`,
}

// triggered is the peer that writes twice in the database, on a copy of the old table: no other write must meet its trigger.
var triggered = peers.Trigger{
	Name: "write_articles_twice",
	Old:  peers.Table{Schema: "bench", Name: "items_triggered"},
	New:  peers.Table{Schema: "bench", Name: "articles"},
	Key:  []string{"tenant", "id"},
	Columns: []peers.Column{
		{Name: "title", From: "new.name"},
		{Name: "on_hand", From: "new.stock"},
		{Name: "price_cents", From: "new.price_cents"},
		{Name: "changed_at", From: "new.updated_at"},
	},
}

// Prepare makes the tables with so many rows in each, the ledger, and the states.
func Prepare(ctx context.Context, dsn string, rows int) error {
	if err := ledger.Migrate(ctx, dsn); err != nil {
		return err
	}
	pool, err := pgxpool.New(ctx, dsn)
	if err != nil {
		return fmt.Errorf("connect to the database: %w", err)
	}
	defer pool.Close()
	if _, err := pool.Exec(ctx, v1.Schema+v1captured.Schema+v2.Schema+v2split.Schema); err != nil {
		return fmt.Errorf("make the tables: %w", err)
	}
	if err := load(ctx, pool, rows); err != nil {
		return err
	}
	if err := triggered.Install(ctx, pool); err != nil {
		return err
	}
	for _, state := range States() {
		if err := state.publish(ctx, pool); err != nil {
			return err
		}
	}
	for _, sql := range []string{"vacuum (analyze)", "checkpoint"} {
		if _, err := pool.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}

func load(ctx context.Context, pool *pgxpool.Pool, rows int) error {
	for i, sql := range fills {
		if i == 0 {
			sql = fmt.Sprintf(sql, Tenants, rows-1)
		}
		if _, err := pool.Exec(ctx, sql); err != nil {
			return fmt.Errorf("fill the tables: %w", err)
		}
	}
	return nil
}
