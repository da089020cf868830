package backfill_test

import (
	"context"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// The user's program embeds one worker for all its migrations and runs it as
// long as it lives: go worker.Run(ctx).
func ExampleNew() {
	pool, err := pgxpool.New(context.Background(), "postgres://app@localhost/shop") // connects at first use
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pool.Close()
	db := postgres.New(pool, nil)

	flag := flags.NewSet(nil).Flag("customers-v2") // a member of the fleet has it
	customers := backfill.BySQL(db, flag, backfill.SQL{
		OldKeys: "select id from v1.customers where tenant_id = $1::uuid",
		NewKeys: "select id from v2.customers where tenant_id = $1::uuid",
		Copy: []string{`insert into v2.customers (tenant_id, id, first_name, last_name)
			select tenant_id, id, split_part(full_name, ' ', 1), substr(full_name, strpos(full_name, ' ') + 1)
			from v1.customers where tenant_id = $1::uuid and id = any($2::uuid[])
			on conflict (tenant_id, id) do update set first_name = excluded.first_name, last_name = excluded.last_name`},
		Delete: []string{`delete from v2.customers n where tenant_id = $1::uuid and id = any($2::uuid[])
			and not exists (select from v1.customers o where o.tenant_id = n.tenant_id and o.id = n.id)`},
		OldRows: "select id, full_name from v1.customers where tenant_id = $1::uuid",
		NewRows: "select id, first_name || ' ' || last_name as full_name from v2.customers where tenant_id = $1::uuid",
	})
	worker, err := backfill.New(db, &backfill.Config{Tenants: tenants, KeysPerSecond: 20_000}, customers)
	fmt.Println(worker != nil, err)

	_, err = backfill.New(db, nil, backfill.BySQL(db, flag, backfill.SQL{OldKeys: "select id from v1.customers"}))
	fmt.Println(err)
	// Output:
	// true <nil>
	// backfill: BySQL of customers-v2: OldKeys and NewKeys are needed to walk both sides
}

// tenants are those of the application, from wherever it keeps them.
func tenants(context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, tenant := range []string{"2f1c1cf2-7f3c-4c3e-9d53-0b1f7d0a4a11", "a9f4e2a6-6df0-4d0e-8a3c-5b6a9f0d2b22"} {
			if !yield(tenant, nil) {
				return
			}
		}
	}
}
