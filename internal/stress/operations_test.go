package stress

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// operations are what clients do, and how often.
var operations = []operation{
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

func get(ctx context.Context, t *turn) error {
	id := t.key(false)
	a, err := t.accounts.Get(ctx, t.tenant, id)
	return t.read(id, a, err)
}

func list(ctx context.Context, t *turn) error {
	all, err := t.accounts.All(ctx, t.tenant)
	if err == nil {
		t.saw(act{kind: actList, state: stateOf(all)})
	}
	return err
}

func lock(ctx context.Context, t *turn) error {
	id := t.key(false)
	a, err := t.accounts.Lock(ctx, t.tenant, id)
	return t.read(id, a, err)
}

func put(ctx context.Context, t *turn) error {
	a := t.account(t.key(true))
	return t.answered(act{kind: actPut, slot: slotOf(a.ID), row: rowOf(a)}, t.accounts.Put(ctx, t.tenant, t.write(a)), errNone)
}

func create(ctx context.Context, t *turn) error {
	a := t.account(t.key(true))
	return t.answered(act{kind: actCreate, slot: slotOf(a.ID), row: rowOf(a)}, t.accounts.Create(ctx, t.tenant, t.write(a)), errExists)
}

func rename(ctx context.Context, t *turn) error {
	a := t.account(t.key(false))
	return t.answered(act{kind: actRename, slot: slotOf(a.ID), row: row{name: a.Name}}, t.accounts.Rename(ctx, t.tenant, t.write(a)), errNone)
}

func add(ctx context.Context, t *turn) error {
	a := t.account(t.key(false))
	return t.answered(act{kind: actAdd, slot: slotOf(a.ID), row: row{balance: a.Balance}}, t.accounts.Add(ctx, t.tenant, t.write(a)), errNone)
}

func addAll(ctx context.Context, t *turn) error {
	a := t.account(0)
	return t.answered(act{kind: actAddAll, row: row{balance: a.Balance}}, t.accounts.AddAll(ctx, t.tenant, t.write(a)), errNone)
}

func remove(ctx context.Context, t *turn) error {
	id := t.key(false)
	return t.answered(act{kind: actDelete, slot: slotOf(id)}, t.accounts.Delete(ctx, t.tenant, t.write(account{ID: id})), errNone)
}

func insert(ctx context.Context, t *turn) error {
	if t.inserts.Add(1) > made/4 {
		return nil // a refused one costs a number too
	}
	a, err := t.accounts.Insert(ctx, t.tenant, t.write(t.account(0)))
	if a.ID == 0 {
		return err // no key was made
	}
	return t.answered(act{kind: actCreate, slot: slotOf(a.ID), row: rowOf(a)}, err, nil)
}

// plusOne reads an account behind its lock, writes it back with one more, and
// reads what it wrote.
func (t *turn) plusOne(ctx context.Context, tx *postgres.Tx, id int64) error {
	accounts := t.accounts.in(tx)
	a, err := accounts.Lock(ctx, t.tenant, id)
	if err := t.read(id, a, err); err != nil {
		return err
	}
	a.ID, a.Name = id, fmt.Sprintf("n%d", t.op)
	a.Balance++
	if err := accounts.Put(ctx, t.tenant, t.write(a)); err != nil {
		return err
	}
	t.saw(act{kind: actPut, slot: slotOf(id), row: rowOf(a)})
	again, err := accounts.Get(ctx, t.tenant, id)
	return t.read(id, again, err)
}

func increment(ctx context.Context, t *turn) error {
	id := t.key(true)
	return t.process.db.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		t.forget()
		return t.plusOne(ctx, tx, id)
	})
}

// adopted does the same in a transaction that the application opened and
// commits, and runs again when it is told to.
func adopted(ctx context.Context, t *turn) error {
	id := t.key(true)
	once := func() error {
		t.forget()
		outer, err := t.process.pool.Begin(ctx)
		if err != nil {
			return err
		}
		defer func() { _ = outer.Rollback(context.WithoutCancel(ctx)) }()
		tx, err := t.process.db.Adopt(ctx, outer)
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
func transfer(ctx context.Context, t *turn) error {
	ids := [2]int64{t.key(true), t.key(true)}
	if ids[0] == ids[1] {
		return lock(ctx, t)
	}
	amount, apart := int64(t.random.IntN(10)), t.random.IntN(2) == 0
	return t.process.db.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		t.forget()
		accounts := t.accounts.in(tx)
		both, err := accounts.LockTwo(ctx, t.tenant, ids)
		if errors.Is(err, errNone) && !errors.Is(err, errInjected) {
			return nil // one of them is not there: nothing is said about which
		}
		if err != nil {
			return err
		}
		var writes [2]write
		for i, a := range both {
			t.saw(act{kind: actRead, slot: slotOf(a.ID), row: rowOf(a)})
			a.Balance += amount * int64(2*i-1)
			writes[i] = t.write(a)
			t.saw(act{kind: actPut, slot: slotOf(a.ID), row: rowOf(a)})
		}
		if !apart {
			return accounts.PutTwo(ctx, t.tenant, writes)
		}
		for _, w := range writes {
			if err := accounts.Put(ctx, t.tenant, w); err != nil {
				return err
			}
		}
		return nil
	})
}

// reads are three reads of one transaction, which see what stands when each of
// them runs: they are three operations.
func reads(ctx context.Context, t *turn) error {
	var events []*event
	err := t.process.db.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		events = nil
		for range 3 {
			part := &turn{client: t.client, accounts: t.accounts.in(tx), event: &event{
				client: t.number, op: t.op, tenant: t.tenant, what: "read in a transaction", stage: t.stage,
			}}
			read := get
			if t.random.IntN(3) == 0 {
				read = list
			}
			part.call = time.Since(t.began)
			err := read(ctx, part)
			part.end = time.Since(t.began)
			if err != nil {
				return err
			}
			events = append(events, part.event)
		}
		return nil
	})
	if err == nil {
		for _, e := range events {
			t.history.add(e)
		}
	}
	return err
}

// swallowed goes on after the error of a write and commits. The journal says
// whether the write happened.
func swallowed(ctx context.Context, t *turn) error {
	a := t.account(t.key(true))
	return t.process.db.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		t.forget()
		t.saw(act{kind: actPut, slot: slotOf(a.ID), row: rowOf(a)})
		t.maybe = t.accounts.in(tx).Put(ctx, t.tenant, t.write(a)) != nil
		return nil
	})
}

// savepoint writes in a savepoint that it undoes, and then another account.
func savepoint(ctx context.Context, t *turn) error {
	gone, a := t.account(t.key(true)), t.account(t.key(true))
	return t.process.db.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		t.forget()
		if _, err := tx.Exec(ctx, "savepoint application"); err != nil {
			return err
		}
		_ = t.accounts.in(tx).Put(ctx, t.tenant, write{op: t.op, account: gone}) // its failure is undone as well
		if _, err := tx.Exec(ctx, "rollback to savepoint application"); err != nil {
			return err
		}
		t.saw(act{kind: actPut, slot: slotOf(a.ID), row: rowOf(a)})
		return t.accounts.in(tx).Put(ctx, t.tenant, t.write(a))
	})
}
