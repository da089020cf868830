package backfill

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
	"github.com/crossfade-db/crossfade/versions"
)

// Entity is one migration's data as a worker sees it: [ByRoute] and [BySQL]
// make one. It may be used by any number of goroutines.
type Entity interface {
	// Migration returns the migration's name.
	Migration() string

	flag() flags.Decider
	// check returns what is wrong with the entity's wiring, or nil.
	check() error
	// ready asks the database what has to be known before a transaction.
	ready(ctx context.Context) error
	// keys returns up to limit keys of a side in its own order, those behind
	// after; an empty after means from the start.
	keys(ctx context.Context, at place, side flags.Side, after string, limit int) ([]string, error)
	// measure counts the keys of a side and returns the last one.
	measure(ctx context.Context, at place, side flags.Side) (count int64, last string, err error)
	// lacking returns those of the keys that a side may lack. It looks without
	// any lock, and may return too many.
	lacking(ctx context.Context, at place, side flags.Side, keys []string) ([]string, error)
	// fenced runs fn in the transaction, behind the fence and with the keys locked.
	fenced(ctx context.Context, tx *postgres.Tx, at place, keys []string, fn func(context.Context, chunk) error) error
	// compares returns how both sides are compared.
	compares() comparing
}

// place is where work is done: one tenant under one decision.
type place struct {
	decision flags.Decision
	tenant   string
}

// chunk is a transaction in which keys are locked.
type chunk interface {
	Stale() []repo.StaleKey
	ClearStale(ctx context.Context, records []repo.StaleKey) error
	// copy makes the keys on the other side equal to the side from, and returns
	// how many rows or keys it wrote. Of keys that were seen on the side from a
	// moment ago, and have no stale record, those that are gone need not be
	// deleted: who deleted them did so on both sides.
	copy(ctx context.Context, from flags.Side, keys []string, seen bool) (int64, error)
}

// comparing compares both sides in snapshots.
type comparing interface {
	// unavailable returns why nothing can be compared, or nil.
	unavailable() error
	// once says that compare finds the keys that only the new side has by
	// itself, in the ranges between the old side's keys.
	once() bool
	// compare compares the keys of one page in one snapshot, or all keys
	// behind after up to the page's last, or up to the end. Another policy in
	// force is errMoved.
	compare(ctx context.Context, at place, p page) ([]found, error)
	// again compares single keys.
	again(ctx context.Context, at place, keys []string) ([]found, error)
}

// found is what a comparison of one key came to, where it is not equal.
type found struct {
	key   string
	diffs []compare.Diff
	// stale says that a record of the key stood in the same snapshot.
	stale bool
	// alone says that one side lacks the key, and unsure that this was seen
	// within a range, so that the key is to be compared again by itself.
	alone, unsure bool
}

// ByRoute returns the entity of a routed repository: keys are copied and
// compared one by one through the repository's own methods. Its backend must be
// that of repo/postgres, in the ledger's database.
func ByRoute[R any](route *repo.Route[R]) Entity { return &routed[R]{route: route} }

type routed[R any] struct{ route *repo.Route[R] }

func (e *routed[R]) Migration() string {
	if e.route == nil {
		return ""
	}
	return e.route.Migration().Name
}

func (e *routed[R]) flag() flags.Decider { return e.route.Flag() }

func (e *routed[R]) check() error {
	if e.route == nil {
		return &ConfigError{Problem: "ByRoute: the route is nil"}
	}
	return nil
}

func (e *routed[R]) ready(context.Context) error { return nil }

// scope of work on an entity's keys.
func scope(m versions.Migration, method string, at place, keys repo.Keys) repo.Scope {
	return repo.Scope{
		Op:       repo.Op{Entity: m.Entity, Method: method, Kind: repo.KindWrite},
		Decision: at.decision, Tenant: at.tenant, Keys: keys,
	}
}

func (e *routed[R]) keys(ctx context.Context, at place, side flags.Side, after string, limit int) (keys []string, err error) {
	err = e.read(ctx, at, func(ctx context.Context, s repo.Session[R]) error {
		keys, err = e.route.Copier().Keys(ctx, s.Side(side), at.tenant, after, limit)
		return err
	})
	return keys, err
}

func (e *routed[R]) measure(ctx context.Context, at place, side flags.Side) (count int64, last string, err error) {
	for {
		p, err := next(ctx, e, at, side, last, "", measurePage)
		if err != nil {
			return 0, "", err
		}
		count += int64(len(p.keys))
		last = p.end()
		if p.last {
			return count, last, nil
		}
	}
}

func (e *routed[R]) lacking(ctx context.Context, at place, side flags.Side, keys []string) (absent []string, err error) {
	err = e.read(ctx, at, func(ctx context.Context, s repo.Session[R]) error {
		for _, key := range keys {
			has, err := e.route.Copier().Has(ctx, s.Side(side), at.tenant, key)
			if err != nil {
				return fmt.Errorf("look for keys on the %s side: %w", side, err)
			}
			if !has {
				absent = append(absent, key)
			}
		}
		return nil
	})
	return absent, err
}

func (e *routed[R]) read(ctx context.Context, at place, fn func(context.Context, repo.Session[R]) error) error {
	return e.route.Backend().Read(ctx, scope(e.route.Migration(), "walk", at, repo.Keys{}), false,
		func(ctx context.Context, s repo.Session[R]) error {
			return guard(func() error { return fn(ctx, s) })
		})
}

func (e *routed[R]) fenced(ctx context.Context, tx *postgres.Tx, at place, keys []string, fn func(context.Context, chunk) error) error {
	backend, err := e.route.Backend().InTx(tx)
	if err != nil {
		return &ConfigError{Problem: fmt.Sprintf("%s: the route cannot join the worker's transactions: %v", e.Migration(), err)}
	}
	return backend.Write(ctx, scope(e.route.Migration(), "copy", at, repo.KeyList(keys)), true,
		func(ctx context.Context, s repo.Session[R]) error {
			return fn(ctx, &routedChunk[R]{Session: s, copier: e.route.Copier(), tenant: at.tenant})
		})
}

type routedChunk[R any] struct {
	repo.Session[R]
	copier repo.Copier[R]
	tenant string
}

func (c *routedChunk[R]) copy(ctx context.Context, from flags.Side, keys []string, _ bool) (changed int64, err error) {
	source, target := c.Side(from), c.Side(from.Other())
	err = guard(func() error {
		for _, key := range keys {
			if err := c.copier.Copy(ctx, source, target, c.tenant, key); err != nil {
				return err
			}
			changed++
		}
		return nil
	})
	return changed, err
}

// guard turns a panic of the application's code into an error.
func guard(fn func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &repo.PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return fn()
}
