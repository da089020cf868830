package stress

import (
	"context"
	"errors"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// account is the entity: version 1 is one table, version 2 keeps the balance in
// a table of its own.
type account struct {
	ID      int64
	Name    string
	Balance int64
}

var (
	errNone   = errors.New("no such account")
	errExists = errors.New("the account exists")
)

// write is the argument of every writing method: op names the operation in the
// journal, and zero is none.
type write struct {
	op      int64
	account account // of Add and AddAll the balance alone, as a difference
}

type accounts interface {
	Get(ctx context.Context, tenant string, id int64) (account, error)
	All(ctx context.Context, tenant string) ([]account, error)
	Keys(ctx context.Context, tenant string, after *int64, limit int) ([]int64, error)
	Create(ctx context.Context, tenant string, w write) error
	Insert(ctx context.Context, tenant string, w write) (account, error)
	Put(ctx context.Context, tenant string, w write) error
	Rename(ctx context.Context, tenant string, w write) error
	Add(ctx context.Context, tenant string, w write) error
	AddAll(ctx context.Context, tenant string, w write) error
	Delete(ctx context.Context, tenant string, w write) error
}

// statements are what the two versions differ by. Writes have the parameters
// tenant, id, name, balance and op; the first of each says by its rows whether
// the key is there, and adds to the journal.
type statements struct {
	get, all, keys                                      string
	create, insert, put, rename, add, addAll, deleteAll []string
}

const journal = "with j as (insert into journal select $5::bigint, $6::text where $5::bigint <> 0) "

var statementsOf = map[flags.Side]statements{
	flags.OldSide: {
		get:    "select id, name, balance from accounts_v1 where tenant = $1 and id = $2",
		all:    "select id, name, balance from accounts_v1 where tenant = $1 order by id",
		keys:   "select id from accounts_v1 where tenant = $1 and ($2::bigint is null or id > $2) order by id limit $3",
		create: []string{"insert into accounts_v1 values ($1::text, $2::bigint, $3::text, $4::bigint) on conflict do nothing"},
		insert: []string{"insert into accounts_v1 values ($1::text, $2::bigint, $3::text, $4::bigint)"},
		put: []string{"insert into accounts_v1 values ($1::text, $2::bigint, $3::text, $4::bigint) " +
			"on conflict (tenant, id) do update set name = excluded.name, balance = excluded.balance"},
		rename:    []string{"update accounts_v1 set name = $3::text where tenant = $1::text and id = $2::bigint and $4::bigint is not null"},
		add:       []string{"update accounts_v1 set balance = balance + $4::bigint where tenant = $1::text and id = $2::bigint and $3::text is not null"},
		addAll:    []string{"update accounts_v1 set balance = balance + $4::bigint where tenant = $1::text and $2::bigint is not null and $3::text is not null"},
		deleteAll: []string{"delete from accounts_v1 where tenant = $1::text and id = $2::bigint and $3::text is not null and $4::bigint is not null"},
	},
	flags.NewSide: {
		get:  "select id, name, amount::bigint from people_v2 join purses_v2 using (tenant, id) where tenant = $1 and id = $2",
		all:  "select id, name, amount::bigint from people_v2 join purses_v2 using (tenant, id) where tenant = $1 order by id",
		keys: "select id from people_v2 where tenant = $1 and ($2::bigint is null or id > $2) order by id limit $3",
		create: []string{
			"insert into people_v2 select $1::text, $2::bigint, $3::text where $4::bigint is not null on conflict do nothing",
			"insert into purses_v2 select $1::text, $2::bigint, $4::bigint where $3::text is not null",
		},
		insert: []string{
			"insert into people_v2 select $1::text, $2::bigint, $3::text where $4::bigint is not null",
			"insert into purses_v2 select $1::text, $2::bigint, $4::bigint where $3::text is not null",
		},
		put: []string{
			"insert into people_v2 select $1::text, $2::bigint, $3::text where $4::bigint is not null on conflict (tenant, id) do update set name = excluded.name",
			"insert into purses_v2 select $1::text, $2::bigint, $4::bigint where $3::text is not null on conflict (tenant, id) do update set amount = excluded.amount",
		},
		rename: []string{"update people_v2 set name = $3::text where tenant = $1::text and id = $2::bigint and $4::bigint is not null"},
		add:    []string{"update purses_v2 set amount = amount + $4::bigint where tenant = $1::text and id = $2::bigint and $3::text is not null"},
		addAll: []string{"update purses_v2 set amount = amount + $4::bigint where tenant = $1::text and $2::bigint is not null and $3::text is not null"},
		deleteAll: []string{
			"delete from people_v2 where tenant = $1::text and id = $2::bigint and $3::text is not null and $4::bigint is not null",
			"delete from purses_v2 where tenant = $1::text and id = $2::bigint and $3::text is not null and $4::bigint is not null",
		},
	},
}

// version is one side on a handle.
type version struct {
	db   postgres.DBTX
	side flags.Side
	sql  statements
}

func versionOf(side flags.Side) postgres.Factory[accounts] {
	return func(db postgres.DBTX) accounts { return version{db: db, side: side, sql: statementsOf[side]} }
}

func (v version) Get(ctx context.Context, tenant string, id int64) (a account, err error) {
	err = v.faulty(ctx, false, func() error {
		err := v.db.QueryRow(ctx, v.sql.get, tenant, id).Scan(&a.ID, &a.Name, &a.Balance)
		if errors.Is(err, pgx.ErrNoRows) {
			return errNone
		}
		return err
	})
	return a, err
}

func (v version) All(ctx context.Context, tenant string) (all []account, err error) {
	err = v.faulty(ctx, false, func() error {
		rows, err := v.db.Query(ctx, v.sql.all, tenant)
		if err != nil {
			return err
		}
		all, err = pgx.CollectRows(rows, pgx.RowToStructByPos[account])
		return err
	})
	return all, err
}

func (v version) Keys(ctx context.Context, tenant string, after *int64, limit int) ([]int64, error) {
	rows, err := v.db.Query(ctx, v.sql.keys, tenant, after, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}

// run executes a write; absent is the error where its first statement finds no row.
func (v version) run(ctx context.Context, tenant string, all []string, w write, absent error) error {
	return v.faulty(ctx, true, func() error {
		for i, sql := range all {
			args := []any{tenant, w.account.ID, w.account.Name, w.account.Balance}
			if i == 0 {
				sql, args = journal+sql, append(args, w.op, v.side.String())
			}
			tag, err := v.db.Exec(ctx, sql, args...)
			if err != nil {
				return err
			}
			if i == 0 && tag.RowsAffected() == 0 && absent != nil {
				return absent
			}
		}
		return nil
	})
}

func (v version) Create(ctx context.Context, tenant string, w write) error {
	return v.run(ctx, tenant, v.sql.create, w, errExists)
}

// Insert draws the key from the one sequence of both sides.
func (v version) Insert(ctx context.Context, tenant string, w write) (account, error) {
	if err := v.db.QueryRow(ctx, "select nextval('made_ids')").Scan(&w.account.ID); err != nil {
		return account{}, err
	}
	return w.account, v.run(ctx, tenant, v.sql.insert, w, nil)
}

func (v version) Put(ctx context.Context, tenant string, w write) error {
	return v.run(ctx, tenant, v.sql.put, w, nil)
}

func (v version) Rename(ctx context.Context, tenant string, w write) error {
	return v.run(ctx, tenant, v.sql.rename, w, errNone)
}

func (v version) Add(ctx context.Context, tenant string, w write) error {
	return v.run(ctx, tenant, v.sql.add, w, errNone)
}

func (v version) AddAll(ctx context.Context, tenant string, w write) error {
	return v.run(ctx, tenant, v.sql.addAll, w, nil)
}

func (v version) Delete(ctx context.Context, tenant string, w write) error {
	return v.run(ctx, tenant, v.sql.deleteAll, w, errNone)
}

func keyText(id int64) string { return strconv.FormatInt(id, 10) }

func diffAccount(served, other account) []compare.Diff {
	var c compare.Collector
	compare.Equal(&c, "ID", served.ID, other.ID)
	compare.Equal(&c, "Name", served.Name, other.Name)
	compare.Equal(&c, "Balance", served.Balance, other.Balance)
	return c.Diffs()
}

func diffAccounts(served, other []account) []compare.Diff {
	var c compare.Collector
	compare.Slice(&c, "", served, other, diffAccount)
	return c.Diffs()
}

var copier = repo.CopyBy[accounts, int64, account]{
	KeyText:  keyText,
	ParseKey: func(text string) (int64, error) { return strconv.ParseInt(text, 10, 64) },
	Get: func(ctx context.Context, side accounts, tenant string, id int64) (account, error) {
		return side.Get(ctx, tenant, id)
	},
	Put: func(ctx context.Context, side accounts, tenant string, a account) error {
		return side.Put(ctx, tenant, write{account: a})
	},
	Delete: func(ctx context.Context, side accounts, tenant string, id int64) error {
		return side.Delete(ctx, tenant, write{account: account{ID: id}})
	},
	KeysAfter: func(ctx context.Context, side accounts, tenant string, after *int64, limit int) ([]int64, error) {
		return side.Keys(ctx, tenant, after, limit)
	},
	IsNotFound: func(err error) bool { return errors.Is(err, errNone) },
	Compare:    diffAccount,
}
