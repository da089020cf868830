package stress

import (
	"context"

	"github.com/crossfade-db/crossfade/repo"
)

// routed is what the generator would write for accounts.
type routed struct{ route *repo.Route[accounts] }

func op(method string, kind repo.Kind) repo.Op {
	return repo.Op{Entity: "Accounts", Method: method, Kind: kind}
}

func (r routed) in(tx repo.Tx) routed { return routed{r.route.InTx(tx)} }

func (r routed) Get(ctx context.Context, tenant string, id int64) (account, error) {
	return repo.Read(ctx, r.route, op("Get", repo.KindRead), tenant, repo.Key(keyText(id)), diffAccount, id,
		func(ctx context.Context, side accounts, id int64) (account, error) { return side.Get(ctx, tenant, id) })
}

func (r routed) All(ctx context.Context, tenant string) ([]account, error) {
	return repo.Read(ctx, r.route, op("All", repo.KindList), tenant, repo.AllKeys(), diffAccounts, repo.NoArgs{},
		func(ctx context.Context, side accounts, _ repo.NoArgs) ([]account, error) {
			return side.All(ctx, tenant)
		})
}

func (r routed) Lock(ctx context.Context, tenant string, id int64) (account, error) {
	return repo.Lock(ctx, r.route, op("Lock", repo.KindLock), tenant, repo.Key(keyText(id)), id,
		func(ctx context.Context, side accounts, id int64) (account, error) { return side.Get(ctx, tenant, id) })
}

// LockTwo returns those of two accounts that are there.
func (r routed) LockTwo(ctx context.Context, tenant string, ids [2]int64) ([2]account, error) {
	keys := repo.KeyList([]string{keyText(ids[0]), keyText(ids[1])})
	return repo.Lock(ctx, r.route, op("LockTwo", repo.KindLock), tenant, keys, ids,
		func(ctx context.Context, side accounts, ids [2]int64) (both [2]account, err error) {
			for i, id := range ids {
				if both[i], err = side.Get(ctx, tenant, id); err != nil {
					return both, err
				}
			}
			return both, nil
		})
}

func (r routed) write(
	ctx context.Context, method, tenant string, keys repo.Keys, w write, call func(context.Context, accounts, string, write) error,
) error {
	return repo.Write(ctx, r.route, op(method, repo.KindWrite), tenant, keys, w,
		func(ctx context.Context, side accounts, w write) error { return call(ctx, side, tenant, w) })
}

func (r routed) one(
	ctx context.Context, method, tenant string, w write, call func(accounts, context.Context, string, write) error,
) error {
	return r.write(ctx, method, tenant, repo.Key(keyText(w.account.ID)), w,
		func(ctx context.Context, side accounts, tenant string, w write) error {
			return call(side, ctx, tenant, w)
		})
}

func (r routed) Create(ctx context.Context, tenant string, w write) error {
	return r.one(ctx, "Create", tenant, w, accounts.Create)
}

func (r routed) Put(ctx context.Context, tenant string, w write) error {
	return r.one(ctx, "Put", tenant, w, accounts.Put)
}

func (r routed) Rename(ctx context.Context, tenant string, w write) error {
	return r.one(ctx, "Rename", tenant, w, accounts.Rename)
}

func (r routed) Add(ctx context.Context, tenant string, w write) error {
	return r.one(ctx, "Add", tenant, w, accounts.Add)
}

func (r routed) Delete(ctx context.Context, tenant string, w write) error {
	return r.one(ctx, "Delete", tenant, w, accounts.Delete)
}

func (r routed) AddAll(ctx context.Context, tenant string, w write) error {
	return r.write(ctx, "AddAll", tenant, repo.AllKeys(), w,
		func(ctx context.Context, side accounts, tenant string, w write) error {
			return side.AddAll(ctx, tenant, w)
		})
}

// PutTwo writes two accounts.
func (r routed) PutTwo(ctx context.Context, tenant string, both [2]write) error {
	keys := repo.KeyList([]string{keyText(both[0].account.ID), keyText(both[1].account.ID)})
	return repo.Write(ctx, r.route, op("PutTwo", repo.KindWrite), tenant, keys, both,
		func(ctx context.Context, side accounts, both [2]write) error {
			for _, w := range both {
				if err := side.Put(ctx, tenant, w); err != nil {
					return err
				}
			}
			return nil
		})
}

func (r routed) Insert(ctx context.Context, tenant string, w write) (account, error) {
	return repo.Create(ctx, r.route, op("Insert", repo.KindCreate), tenant, w,
		func(_ write, made account) []string { return []string{keyText(made.ID)} },
		func(ctx context.Context, side accounts, w write) (account, error) { return side.Insert(ctx, tenant, w) })
}
