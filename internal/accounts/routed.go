package accounts

import (
	"context"

	"github.com/crossfade-db/crossfade/repo"
)

// Routed is what the generator would write for [Accounts]. Its route uses
// [Migration], [Copier] and [VersionOf].
type Routed struct{ Route *repo.Route[Accounts] }

func op(method string, kind repo.Kind) repo.Op {
	return repo.Op{Entity: "Accounts", Method: method, Kind: kind, Queue: kind == repo.KindWrite}
}

// InTx returns the repository inside a transaction.
func (r Routed) InTx(tx repo.Tx) Routed { return Routed{r.Route.InTx(tx)} }

// Get reads one account.
func (r Routed) Get(ctx context.Context, tenant string, id int64) (Account, error) {
	return repo.Read(ctx, r.Route, op("Get", repo.KindRead), tenant, repo.Key(keyText(id)), diffAccount, id,
		func(ctx context.Context, side Accounts, id int64) (Account, error) { return side.Get(ctx, tenant, id) })
}

// All lists a tenant.
func (r Routed) All(ctx context.Context, tenant string) ([]Account, error) {
	return repo.Read(ctx, r.Route, op("All", repo.KindList), tenant, repo.AllKeys(), diffAccounts, repo.NoArgs{},
		func(ctx context.Context, side Accounts, _ repo.NoArgs) ([]Account, error) {
			return side.All(ctx, tenant)
		})
}

// Lock reads one account behind its lock.
func (r Routed) Lock(ctx context.Context, tenant string, id int64) (Account, error) {
	return repo.Lock(ctx, r.Route, op("Lock", repo.KindLock), tenant, repo.Key(keyText(id)), id,
		func(ctx context.Context, side Accounts, id int64) (Account, error) { return side.Get(ctx, tenant, id) })
}

// LockTwo returns those of two accounts that are there.
func (r Routed) LockTwo(ctx context.Context, tenant string, ids [2]int64) ([2]Account, error) {
	keys := repo.KeyList([]string{keyText(ids[0]), keyText(ids[1])})
	return repo.Lock(ctx, r.Route, op("LockTwo", repo.KindLock), tenant, keys, ids,
		func(ctx context.Context, side Accounts, ids [2]int64) (both [2]Account, err error) {
			for i, id := range ids {
				if both[i], err = side.Get(ctx, tenant, id); err != nil {
					return both, err
				}
			}
			return both, nil
		})
}

func (r Routed) write(
	ctx context.Context, method, tenant string, keys repo.Keys, w Write, call func(context.Context, Accounts, string, Write) error,
) error {
	return repo.Write(ctx, r.Route, op(method, repo.KindWrite), tenant, keys, w,
		func(ctx context.Context, side Accounts, w Write) error { return call(ctx, side, tenant, w) })
}

func (r Routed) one(
	ctx context.Context, method, tenant string, w Write, call func(Accounts, context.Context, string, Write) error,
) error {
	return r.write(ctx, method, tenant, repo.Key(keyText(w.Account.ID)), w,
		func(ctx context.Context, side Accounts, tenant string, w Write) error {
			return call(side, ctx, tenant, w)
		})
}

// Create adds an account that is not there.
func (r Routed) Create(ctx context.Context, tenant string, w Write) error {
	return r.one(ctx, "Create", tenant, w, Accounts.Create)
}

// Put writes an account.
func (r Routed) Put(ctx context.Context, tenant string, w Write) error {
	return r.one(ctx, "Put", tenant, w, Accounts.Put)
}

// Rename changes the name alone.
func (r Routed) Rename(ctx context.Context, tenant string, w Write) error {
	return r.one(ctx, "Rename", tenant, w, Accounts.Rename)
}

// Add adds to the balance.
func (r Routed) Add(ctx context.Context, tenant string, w Write) error {
	return r.one(ctx, "Add", tenant, w, Accounts.Add)
}

// Delete removes an account.
func (r Routed) Delete(ctx context.Context, tenant string, w Write) error {
	return r.one(ctx, "Delete", tenant, w, Accounts.Delete)
}

// AddAll adds to every balance of a tenant.
func (r Routed) AddAll(ctx context.Context, tenant string, w Write) error {
	return r.write(ctx, "AddAll", tenant, repo.AllKeys(), w,
		func(ctx context.Context, side Accounts, tenant string, w Write) error {
			return side.AddAll(ctx, tenant, w)
		})
}

// PutTwo writes two accounts.
func (r Routed) PutTwo(ctx context.Context, tenant string, both [2]Write) error {
	keys := repo.KeyList([]string{keyText(both[0].Account.ID), keyText(both[1].Account.ID)})
	return repo.Write(ctx, r.Route, op("PutTwo", repo.KindWrite), tenant, keys, both,
		func(ctx context.Context, side Accounts, both [2]Write) error {
			for _, w := range both {
				if err := side.Put(ctx, tenant, w); err != nil {
					return err
				}
			}
			return nil
		})
}

// Insert adds an account whose key the database makes.
func (r Routed) Insert(ctx context.Context, tenant string, w Write) (Account, error) {
	return repo.Create(ctx, r.Route, op("Insert", repo.KindCreate), tenant, w,
		func(_ Write, made Account) []string { return []string{keyText(made.ID)} },
		func(ctx context.Context, side Accounts, w Write) (Account, error) { return side.Insert(ctx, tenant, w) })
}
