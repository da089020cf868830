package accounts

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// Operation is something that clients do.
type Operation struct {
	Name   string
	Weight int // how often, beside the others
	run    func(ctx context.Context, t *Turn) error
	// Unfenced says that it is a plain read, which no fence stops when it
	// comes too late.
	Unfenced bool
}

// Operations are what clients do, and how often.
var Operations = Mix{
	{"get", 20, get, true},
	{"list", 6, list, true},
	{"lock", 4, lock, false},
	{"put", 10, put, false},
	{"create", 8, create, false},
	{"rename", 10, rename, false},
	{"add", 12, add, false},
	{"add to all", 2, addAll, false},
	{"delete", 6, remove, false},
	{"insert", 4, insert, false},
	{"increment", 12, increment, false},
	{"increment in an adopted transaction", 4, adopted, false},
	{"transfer", 8, transfer, false},
	{"reads in a transaction", 4, reads, false},
	{"put with its error swallowed", 3, swallowed, false},
	{"put in a savepoint that is undone", 3, savepoint, false},
}

func get(ctx context.Context, t *Turn) error {
	id := t.loose(false)
	a, err := t.Accounts.Get(ctx, t.Tenant, id)
	return t.read(id, a, err)
}

func list(ctx context.Context, t *Turn) error {
	all, err := t.Accounts.All(ctx, t.Tenant)
	if err == nil {
		t.saw(Act{Kind: ActList, List: all})
	}
	return err
}

func lock(ctx context.Context, t *Turn) error {
	id := t.loose(false)
	a, err := t.Accounts.Lock(ctx, t.Tenant, id)
	return t.read(id, a, err)
}

func put(ctx context.Context, t *Turn) error {
	a := t.account(t.loose(true))
	return t.answered(Act{Kind: ActPut, Key: a.ID, Row: rowOf(a)}, t.Accounts.Put(ctx, t.Tenant, t.write(a)), ErrNone)
}

func create(ctx context.Context, t *Turn) error {
	a := t.account(t.loose(true))
	return t.answered(Act{Kind: ActCreate, Key: a.ID, Row: rowOf(a)}, t.Accounts.Create(ctx, t.Tenant, t.write(a)), ErrExists)
}

func rename(ctx context.Context, t *Turn) error {
	a := t.account(t.loose(false))
	return t.answered(Act{Kind: ActRename, Key: a.ID, Row: Row{Name: a.Name}}, t.Accounts.Rename(ctx, t.Tenant, t.write(a)), ErrNone)
}

func add(ctx context.Context, t *Turn) error {
	a := t.account(t.loose(false))
	return t.answered(Act{Kind: ActAdd, Key: a.ID, Row: Row{Balance: a.Balance}}, t.Accounts.Add(ctx, t.Tenant, t.write(a)), ErrNone)
}

func addAll(ctx context.Context, t *Turn) error {
	a := t.account(0)
	return t.answered(Act{Kind: ActAddAll, Row: Row{Balance: a.Balance}}, t.Accounts.AddAll(ctx, t.Tenant, t.write(a)), ErrNone)
}

func remove(ctx context.Context, t *Turn) error {
	id := t.loose(false)
	return t.answered(Act{Kind: ActDelete, Key: id}, t.Accounts.Delete(ctx, t.Tenant, t.write(Account{ID: id})), ErrNone)
}

func insert(ctx context.Context, t *Turn) error {
	a, err := t.Accounts.Insert(ctx, t.Tenant, t.write(t.account(0)))
	if a.ID == 0 {
		return err // no key was made
	}
	return t.answered(Act{Kind: ActCreate, Key: a.ID, Row: rowOf(a)}, err, nil)
}

// plusOne reads an account behind its lock, writes it back with one more, and
// reads what it wrote.
func (t *Turn) plusOne(ctx context.Context, tx *postgres.Tx, id int64) error {
	accounts := t.Accounts.InTx(tx)
	a, err := accounts.Lock(ctx, t.Tenant, id)
	if err := t.read(id, a, err); err != nil {
		return err
	}
	a.ID, a.Name = id, fmt.Sprintf("n%d", t.Op)
	a.Balance++
	if err := accounts.Put(ctx, t.Tenant, t.write(a)); err != nil {
		return err
	}
	t.saw(Act{Kind: ActPut, Key: id, Row: rowOf(a)})
	again, err := accounts.Get(ctx, t.Tenant, id)
	return t.read(id, again, err)
}

func increment(ctx context.Context, t *Turn) error {
	id := t.key(true)
	return t.DB.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		t.forget()
		return t.plusOne(ctx, tx, id)
	})
}

// adopted does the same in a transaction that the application opened and
// commits, and runs again when it is told to.
func adopted(ctx context.Context, t *Turn) error {
	id := t.key(true)
	once := func() error {
		t.forget()
		outer, err := t.Pool.Begin(ctx)
		if err != nil {
			return err
		}
		defer func() { _ = outer.Rollback(context.WithoutCancel(ctx)) }()
		tx, err := t.DB.Adopt(ctx, outer)
		if err != nil {
			return err
		}
		if err := t.plusOne(ctx, tx, id); err != nil {
			return err
		}
		err = outer.Commit(ctx)
		var refused *pgconn.PgError
		if err != nil && !errors.As(err, &refused) && !errors.Is(err, pgx.ErrTxCommitRollback) {
			return &repo.UnknownOutcomeError{Err: err}
		}
		return err
	}
	err := once()
	for tries := 0; repo.Retryable(err) && tries < 10; tries++ {
		err = once()
	}
	return err
}

// transfer locks two accounts and moves some of the balance, in one write of
// both or in two writes.
func transfer(ctx context.Context, t *Turn) error {
	ids := [2]int64{t.key(true), t.key(true)}
	if ids[0] == ids[1] {
		return lock(ctx, t)
	}
	amount, apart := int64(t.Random.IntN(10)), t.Random.IntN(2) == 0
	return t.DB.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		t.forget()
		accounts := t.Accounts.InTx(tx)
		both, err := accounts.LockTwo(ctx, t.Tenant, ids)
		if errors.Is(err, ErrNone) && !errors.Is(err, ErrInjected) {
			return nil // one of them is not there: nothing is said about which
		}
		if err != nil {
			return err
		}
		var writes [2]Write
		for i, a := range both {
			t.saw(Act{Kind: ActRead, Key: a.ID, Row: rowOf(a)})
			a.Balance += amount * int64(2*i-1)
			writes[i] = t.write(a)
			t.saw(Act{Kind: ActPut, Key: a.ID, Row: rowOf(a)})
		}
		if !apart {
			return accounts.PutTwo(ctx, t.Tenant, writes)
		}
		for _, w := range writes {
			if err := accounts.Put(ctx, t.Tenant, w); err != nil {
				return err
			}
		}
		return nil
	})
}

// reads are three reads of one transaction, which see what stands when each of
// them runs: they are three operations.
func reads(ctx context.Context, t *Turn) error {
	var parts []Part
	err := t.DB.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		parts = nil
		for range 3 {
			one := *t
			one.Accounts, one.Answer = t.Accounts.InTx(tx), Answer{}
			read := get
			if t.Random.IntN(3) == 0 {
				read = list
			}
			call := t.now()
			if err := read(ctx, &one); err != nil {
				return err
			}
			parts = append(parts, Part{Call: call, End: t.now(), Acts: one.Acts})
		}
		return nil
	})
	if err == nil {
		t.Parts = parts
	}
	return err
}

// swallowed goes on after the error of a write and commits. The journal says
// whether the write happened.
func swallowed(ctx context.Context, t *Turn) error {
	a := t.account(t.key(true))
	return t.DB.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		t.forget()
		t.saw(Act{Kind: ActPut, Key: a.ID, Row: rowOf(a)})
		t.Maybe = t.Accounts.InTx(tx).Put(ctx, t.Tenant, t.write(a)) != nil
		return nil
	})
}

// savepoint writes in a savepoint that it undoes, and then another account.
func savepoint(ctx context.Context, t *Turn) error {
	gone, a := t.account(t.key(true)), t.account(t.key(true))
	return t.DB.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		t.forget()
		if _, err := tx.Exec(ctx, "savepoint application"); err != nil {
			return err
		}
		_ = t.Accounts.InTx(tx).Put(ctx, t.Tenant, Write{Op: t.Op, Account: gone}) // its failure is undone as well
		if _, err := tx.Exec(ctx, "rollback to savepoint application"); err != nil {
			return err
		}
		t.saw(Act{Kind: ActPut, Key: a.ID, Row: rowOf(a)})
		return t.Accounts.InTx(tx).Put(ctx, t.Tenant, t.write(a))
	})
}
