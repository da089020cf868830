package workload

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/crossfade-db/crossfade/examples/quickstart/internal/customers"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/oracle"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/seed"
)

// The operations of the mix. Each takes the customer and the stage that its request is pinned to.

func (s *session) read(ctx context.Context, key oracle.Key, stage string) error {
	since, begun := s.cfg.Journal.Now(), time.Now()
	c, err := s.cfg.Store.Get(ctx, key.Tenant, key.Customer)
	took := time.Since(begun)
	result := oracle.Result{Outcome: outcomeOf(err)}
	switch {
	case err == nil:
		result.Seen = ptr(oracle.StateOf(c))
	case result.Outcome == oracle.Absent:
		err, s.gone = nil, &key
	}
	return s.cfg.Journal.Observe(ctx, operation(oracle.Read, key, stage, oracle.Change{}), since, took, err, result)
}

func (s *session) list(ctx context.Context, key oracle.Key, stage string) error {
	const page = 20
	since, begun := s.cfg.Journal.Now(), time.Now()
	_, err := s.cfg.Store.List(ctx, key.Tenant, key.Customer, page)
	op := oracle.Operation{Kind: oracle.List, Tenant: key.Tenant, Stage: stage}
	return s.cfg.Journal.Observe(ctx, op, since, time.Since(begun), err, oracle.Result{Outcome: outcomeOf(err)})
}

func (s *session) updateEmail(ctx context.Context, key oracle.Key, stage string) error {
	email, at := s.token(), s.now()
	change := oracle.Change{Set: oracle.State{Email: email, UpdatedAt: at.UnixMicro()}}
	return s.write(ctx, operation(oracle.Email, key, stage, change), func() ([]oracle.Result, error) {
		return nil, s.cfg.Store.UpdateEmail(ctx, key.Tenant, key.Customer, email, at)
	})
}

// replace reads the customer under a lock, and writes it back with everything changed but the balance.
func (s *session) replace(ctx context.Context, key oracle.Key, stage string) error {
	fresh := s.fresh(key)
	return s.write(ctx, operation(oracle.Replace, key, stage, oracle.Change{Set: oracle.StateOf(fresh)}), func() (results []oracle.Result, err error) {
		err = s.cfg.Store.InTx(ctx, func(ctx context.Context, repo customers.Customers) error {
			before, err := repo.GetForUpdate(ctx, key.Tenant, key.Customer)
			if err != nil {
				return err
			}
			results = []oracle.Result{{Seen: ptr(oracle.StateOf(before))}}
			fresh.BalanceCents = before.BalanceCents
			return repo.Save(ctx, fresh)
		})
		return results, err
	})
}

// addBalance lets the repository add to the balance.
func (s *session) addBalance(ctx context.Context, key oracle.Key, stage string) error {
	cents, at := s.amount(), s.now()
	return s.write(ctx, operation(oracle.Add, key, stage, adding(cents, at)), func() ([]oracle.Result, error) {
		balance, err := s.cfg.Store.AddBalance(ctx, key.Tenant, key.Customer, cents, at)
		if err != nil {
			return nil, err
		}
		return []oracle.Result{{Balance: &balance}}, nil
	})
}

// increase adds to the balance in the application: it reads, adds, and writes back.
func (s *session) increase(ctx context.Context, key oracle.Key, stage string) error {
	cents, at := s.amount(), s.now()
	return s.write(ctx, operation(oracle.Add, key, stage, adding(cents, at)), func() (results []oracle.Result, err error) {
		err = s.cfg.Store.InTx(ctx, func(ctx context.Context, repo customers.Customers) error {
			c, err := repo.GetForUpdate(ctx, key.Tenant, key.Customer)
			if err != nil {
				return err
			}
			results = []oracle.Result{{Seen: ptr(oracle.StateOf(c))}}
			c.BalanceCents, c.UpdatedAt = c.BalanceCents+cents, at
			return repo.Save(ctx, c)
		})
		return results, err
	})
}

// transfer moves an amount from one customer to another. It locks them in the order of their ids, as any two
// transfers could meet.
func (s *session) transfer(ctx context.Context, key oracle.Key, stage string) error {
	other := s.partner(key)
	if other == key {
		return s.addBalance(ctx, key, stage)
	}
	cents, at := s.amount(), s.now()
	if other.Customer.String() < key.Customer.String() {
		key, other, cents = other, key, -cents
	}
	op := operation(oracle.Add, key, stage, adding(-cents, at))
	op.Legs = append(op.Legs, oracle.Leg{Customer: other.Customer, Change: adding(cents, at)})
	return s.write(ctx, op, func() (results []oracle.Result, err error) {
		err = s.cfg.Store.InTx(ctx, func(ctx context.Context, repo customers.Customers) (err error) {
			results, err = move(ctx, repo, op, at)
			return err
		})
		return results, err
	})
}

// move applies both legs of a transfer, or learns which customer is absent.
func move(ctx context.Context, repo customers.Customers, op oracle.Operation, at time.Time) ([]oracle.Result, error) {
	both, results := make([]customers.Customer, len(op.Legs)), make([]oracle.Result, len(op.Legs))
	for i, leg := range op.Legs {
		c, err := repo.GetForUpdate(ctx, op.Tenant, leg.Customer)
		if errors.Is(err, customers.ErrNotFound) {
			results = []oracle.Result{{Outcome: oracle.Refused}, {Outcome: oracle.Refused}}
			results[i].Outcome = oracle.Absent
			return results, err
		}
		if err != nil {
			return nil, err
		}
		both[i], results[i] = c, oracle.Result{Seen: ptr(oracle.StateOf(c))}
	}
	for i, c := range both {
		c.BalanceCents, c.UpdatedAt = c.BalanceCents+op.Legs[i].Change.Cents, at
		if err := repo.Save(ctx, c); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// create makes a customer that nobody else knows.
func (s *session) create(ctx context.Context, key oracle.Key, stage string) error {
	key.Customer = uuid.New()
	s.created(key)
	return s.save(ctx, key, stage)
}

// save makes or replaces a customer, whatever is there.
func (s *session) save(ctx context.Context, key oracle.Key, stage string) error {
	c := s.fresh(key)
	return s.write(ctx, operation(oracle.Save, key, stage, oracle.Change{Set: oracle.StateOf(c)}), func() ([]oracle.Result, error) {
		return nil, s.cfg.Store.Save(ctx, c)
	})
}

func (s *session) remove(ctx context.Context, key oracle.Key, stage string) error {
	return s.write(ctx, operation(oracle.Delete, key, stage, oracle.Change{}), func() ([]oracle.Result, error) {
		return nil, s.cfg.Store.Delete(ctx, key.Tenant, key.Customer)
	})
}

// fresh returns a customer with new values.
func (s *session) fresh(key oracle.Key) customers.Customer {
	c := customers.Customer{TenantID: key.Tenant, ID: key.Customer}
	seed.Fill(s.rand, &c)
	c.Email, c.UpdatedAt = s.token(), s.now()
	return c
}

// amount returns what an increment adds: never zero, and little enough that no balance runs over.
func (s *session) amount() int64 { return (1 + s.rand.Int64N(5000)) * int64(1-2*s.rand.IntN(2)) }

func adding(cents int64, at time.Time) oracle.Change {
	return oracle.Change{Cents: cents, Set: oracle.State{UpdatedAt: at.UnixMicro()}}
}

func operation(kind oracle.Kind, key oracle.Key, stage string, change oracle.Change) oracle.Operation {
	return oracle.Operation{Kind: kind, Tenant: key.Tenant, Stage: stage, Legs: []oracle.Leg{{Customer: key.Customer, Change: change}}}
}

func ptr[T any](v T) *T { return &v }
