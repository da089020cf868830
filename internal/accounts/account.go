// Package accounts is the application with which tests try to refute the
// promises of the ladder: an entity in two versions, its routed repository, the
// operations of its clients, operators that walk it up and down, and the check
// of what all of them saw.
//
// Each write of a side adds to a journal in its own statement, so that an
// operation whose outcome nobody heard can be told from the database. It is for
// tests alone and decides nothing by itself.
package accounts

import (
	"context"
	"errors"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
	"github.com/crossfade-db/crossfade/versions"
)

// MigrationName is the name of [Migration].
const MigrationName = "accounts-v2"

var (
	// Migration moves the accounts from version 1 to version 2.
	Migration, _ = versions.Must(versions.New("accounts", "v1", "v2")).Last()
	// Tenants are all tenants.
	Tenants = []string{"acme", "bolt"}
)

// Account is the entity: version 1 is one table, version 2 keeps the balance in
// a table of its own.
type Account struct {
	ID      int64
	Name    string
	Balance int64
}

var (
	// ErrNone says that there is no such account.
	ErrNone = errors.New("no such account")
	// ErrExists says that there is one already.
	ErrExists = errors.New("the account exists")
)

// Write is the argument of every writing method: Op names the operation in the
// journal, and zero is none. Of Add and AddAll the balance is a difference.
type Write struct {
	Op      int64
	Account Account
}

// Accounts is the repository.
type Accounts interface {
	Get(ctx context.Context, tenant string, id int64) (Account, error)
	All(ctx context.Context, tenant string) ([]Account, error)
	Keys(ctx context.Context, tenant string, after *int64, limit int) ([]int64, error)
	Create(ctx context.Context, tenant string, w Write) error
	Insert(ctx context.Context, tenant string, w Write) (Account, error)
	Put(ctx context.Context, tenant string, w Write) error
	Rename(ctx context.Context, tenant string, w Write) error
	Add(ctx context.Context, tenant string, w Write) error
	AddAll(ctx context.Context, tenant string, w Write) error
	Delete(ctx context.Context, tenant string, w Write) error
}

// version is one side on a handle.
type version struct {
	db   postgres.DBTX
	side flags.Side
	sql  statements
}

// VersionOf makes the repository of one side.
func VersionOf(side flags.Side) postgres.Factory[Accounts] {
	return func(db postgres.DBTX) Accounts { return version{db: db, side: side, sql: statementsOf[side]} }
}

func (v version) Get(ctx context.Context, tenant string, id int64) (a Account, err error) {
	err = v.faulty(ctx, false, func() error {
		err := v.db.QueryRow(ctx, v.sql.get, tenant, id).Scan(&a.ID, &a.Name, &a.Balance)
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrNone
		}
		return err
	})
	return a, err
}

func (v version) All(ctx context.Context, tenant string) (all []Account, err error) {
	err = v.faulty(ctx, false, func() error {
		rows, err := v.db.Query(ctx, v.sql.all, tenant)
		if err != nil {
			return err
		}
		all, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Account])
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
func (v version) run(ctx context.Context, tenant string, kind ActKind, w Write, absent error) error {
	return v.faulty(ctx, true, func() error {
		for i, sql := range v.sql.writes[kind] {
			args := []any{tenant, w.Account.ID, w.Account.Name, w.Account.Balance}
			if i == 0 {
				sql, args = journal+sql, append(args, w.Op, v.side.String(), int(kind))
			}
			if i > 0 || absent == nil { // nobody asks how many rows it met
				if err := postgres.ExecLater(ctx, v.db, sql, args...); err != nil {
					return err
				}
				continue
			}
			tag, err := v.db.Exec(ctx, sql, args...)
			if err != nil {
				return err
			}
			if tag.RowsAffected() == 0 {
				return absent
			}
		}
		return nil
	})
}

func (v version) Create(ctx context.Context, tenant string, w Write) error {
	return v.run(ctx, tenant, ActCreate, w, ErrExists)
}

// Insert draws the key from the one sequence of both sides.
func (v version) Insert(ctx context.Context, tenant string, w Write) (Account, error) {
	if err := v.db.QueryRow(ctx, "select nextval('made_ids')").Scan(&w.Account.ID); err != nil {
		return Account{}, err
	}
	return w.Account, v.run(ctx, tenant, ActInsert, w, nil)
}

func (v version) Put(ctx context.Context, tenant string, w Write) error {
	return v.run(ctx, tenant, ActPut, w, nil)
}

func (v version) Rename(ctx context.Context, tenant string, w Write) error {
	return v.run(ctx, tenant, ActRename, w, ErrNone)
}

func (v version) Add(ctx context.Context, tenant string, w Write) error {
	return v.run(ctx, tenant, ActAdd, w, ErrNone)
}

func (v version) AddAll(ctx context.Context, tenant string, w Write) error {
	return v.run(ctx, tenant, ActAddAll, w, nil)
}

func (v version) Delete(ctx context.Context, tenant string, w Write) error {
	return v.run(ctx, tenant, ActDelete, w, ErrNone)
}

func keyText(id int64) string { return strconv.FormatInt(id, 10) }

func diffAccount(served, other Account) []compare.Diff {
	var c compare.Collector
	compare.Equal(&c, "ID", served.ID, other.ID)
	compare.Equal(&c, "Name", served.Name, other.Name)
	compare.Equal(&c, "Balance", served.Balance, other.Balance)
	return c.Diffs()
}

func diffAccounts(served, other []Account) []compare.Diff {
	var c compare.Collector
	compare.Slice(&c, "", served, other, diffAccount)
	return c.Diffs()
}

// Copier copies accounts from side to side.
var Copier = repo.CopyBy[Accounts, int64, Account]{
	KeyText:  keyText,
	ParseKey: func(text string) (int64, error) { return strconv.ParseInt(text, 10, 64) },
	KeyOf:    func(a Account) int64 { return a.ID },
	Get: func(ctx context.Context, side Accounts, tenant string, id int64) (Account, error) {
		return side.Get(ctx, tenant, id)
	},
	Put: func(ctx context.Context, side Accounts, tenant string, a Account) error {
		return side.Put(ctx, tenant, Write{Account: a})
	},
	Delete: func(ctx context.Context, side Accounts, tenant string, id int64) error {
		return side.Delete(ctx, tenant, Write{Account: Account{ID: id}})
	},
	KeysAfter: func(ctx context.Context, side Accounts, tenant string, after *int64, limit int) ([]int64, error) {
		return side.Keys(ctx, tenant, after, limit)
	},
	IsNotFound: func(err error) bool { return errors.Is(err, ErrNone) },
	Compare:    diffAccount,
}
