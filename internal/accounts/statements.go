package accounts

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// Migrate makes the ledger, both versions of the accounts, and the journal.
func Migrate(ctx context.Context, dsn string) error {
	if err := ledger.Migrate(ctx, dsn); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close(ctx)
	const script = `
		create sequence made_ids start 1001;
		create table accounts_v1 (tenant text, id bigint, name text not null, balance bigint not null, primary key (tenant, id));
		create table people_v2 (tenant text, id bigint, name text not null, primary key (tenant, id));
		create table purses_v2 (tenant text, id bigint, amount numeric(20) not null, primary key (tenant, id));
		create table journal (n bigint generated always as identity, op bigint not null, side text not null,
			kind integer not null, id bigint not null, name text not null, balance bigint not null);`
	if _, err := conn.Exec(ctx, script); err != nil {
		return fmt.Errorf("make the tables: %w", err)
	}
	return nil
}

// statements are what the two versions differ by. Writes have the parameters
// tenant, id, name and balance; the first of each says by its rows whether the
// key is there, and adds to the journal.
type statements struct {
	get, all, keys string
	writes         map[ActKind][]string
}

// journal adds what a statement writes, with the operation, the side and the
// kind as further parameters.
const journal = `with j as (insert into journal (op, side, kind, id, name, balance)
	select $5::bigint, $6::text, $7::integer, $2::bigint, $3::text, $4::bigint where $5::bigint <> 0) `

var statementsOf = map[flags.Side]statements{
	flags.OldSide: {
		get:  "select id, name, balance from accounts_v1 where tenant = $1 and id = $2",
		all:  "select id, name, balance from accounts_v1 where tenant = $1 order by id",
		keys: "select id from accounts_v1 where tenant = $1 and ($2::bigint is null or id > $2) order by id limit $3",
		writes: map[ActKind][]string{
			ActCreate: {"insert into accounts_v1 values ($1::text, $2::bigint, $3::text, $4::bigint) on conflict do nothing"},
			ActInsert: {"insert into accounts_v1 values ($1::text, $2::bigint, $3::text, $4::bigint)"},
			ActPut: {"insert into accounts_v1 values ($1::text, $2::bigint, $3::text, $4::bigint) " +
				"on conflict (tenant, id) do update set name = excluded.name, balance = excluded.balance"},
			ActRename: {"update accounts_v1 set name = $3::text where tenant = $1::text and id = $2::bigint and $4::bigint is not null"},
			ActAdd:    {"update accounts_v1 set balance = balance + $4::bigint where tenant = $1::text and id = $2::bigint and $3::text is not null"},
			ActAddAll: {"update accounts_v1 set balance = balance + $4::bigint where tenant = $1::text and $2::bigint is not null and $3::text is not null"},
			ActDelete: {"delete from accounts_v1 where tenant = $1::text and id = $2::bigint and $3::text is not null and $4::bigint is not null"},
		},
	},
	flags.NewSide: {
		get:  "select id, name, amount::bigint from people_v2 join purses_v2 using (tenant, id) where tenant = $1 and id = $2",
		all:  "select id, name, amount::bigint from people_v2 join purses_v2 using (tenant, id) where tenant = $1 order by id",
		keys: "select id from people_v2 where tenant = $1 and ($2::bigint is null or id > $2) order by id limit $3",
		writes: map[ActKind][]string{
			ActCreate: {
				"insert into people_v2 select $1::text, $2::bigint, $3::text where $4::bigint is not null on conflict do nothing",
				"insert into purses_v2 select $1::text, $2::bigint, $4::bigint where $3::text is not null",
			},
			ActInsert: {
				"insert into people_v2 select $1::text, $2::bigint, $3::text where $4::bigint is not null",
				"insert into purses_v2 select $1::text, $2::bigint, $4::bigint where $3::text is not null",
			},
			ActPut: {
				"insert into people_v2 select $1::text, $2::bigint, $3::text where $4::bigint is not null on conflict (tenant, id) do update set name = excluded.name",
				"insert into purses_v2 select $1::text, $2::bigint, $4::bigint where $3::text is not null on conflict (tenant, id) do update set amount = excluded.amount",
			},
			ActRename: {"update people_v2 set name = $3::text where tenant = $1::text and id = $2::bigint and $4::bigint is not null"},
			ActAdd:    {"update purses_v2 set amount = amount + $4::bigint where tenant = $1::text and id = $2::bigint and $3::text is not null"},
			ActAddAll: {"update purses_v2 set amount = amount + $4::bigint where tenant = $1::text and $2::bigint is not null and $3::text is not null"},
			ActDelete: {
				"delete from people_v2 where tenant = $1::text and id = $2::bigint and $3::text is not null and $4::bigint is not null",
				"delete from purses_v2 where tenant = $1::text and id = $2::bigint and $3::text is not null and $4::bigint is not null",
			},
		},
	},
}
