// Package check reads everything back while nothing is written: each customer through the repository, and in plain SQL
// from the tables of both versions. The SQL here shares no code with the versions' own.
package check

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/crossfade-db/crossfade/examples/quickstart/internal/customers"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/oracle"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/seed"
)

// Side is a version in plain SQL.
type Side struct {
	Name string
	sql  string
}

// V1 is version 1, and V2 version 2.
var (
	V1 = Side{"v1", `
		select tenant_id, id, full_name, email, coalesce(address, 'null') <> 'null',
		       coalesce(address->>'street', ''), coalesce(address->>'city', ''),
		       coalesce(address->>'postal_code', ''), coalesce(address->>'country', ''), balance_cents, updated_at
		from quickstart_v1.customers`}
	V2 = Side{"v2", `
		select c.tenant_id, c.id, case when c.last_name = '' then c.first_name else c.first_name || ' ' || c.last_name end, c.email,
		       a.customer_id is not null, coalesce(a.street, ''), coalesce(a.city, ''),
		       coalesce(a.postal_code, ''), coalesce(a.country, ''), (c.balance * 100)::bigint, c.updated_at
		from quickstart_v2.customers c
		left join quickstart_v2.customer_addresses a on a.tenant_id = c.tenant_id and a.customer_id = c.id`}
)

// States are customers by their keys. One that is not there has no entry.
type States map[oracle.Key]oracle.State

// Start returns the customers that the seed makes.
func Start(d seed.Data) States {
	all := States{}
	for n := range d.Tenants {
		for i := range d.InTenant(n) {
			c := d.Customer(n, i)
			all[oracle.Key{Tenant: c.TenantID, Customer: c.ID}] = oracle.StateOf(c)
		}
	}
	return all
}

// BySQL reads all customers of a version in plain SQL.
func BySQL(ctx context.Context, pool *pgxpool.Pool, side Side) (States, error) {
	rows, err := pool.Query(ctx, side.sql) //nolint:rowserrcheck // ForEachRow returns its error
	if err != nil {
		return nil, fmt.Errorf("read %s in plain SQL: %w", side.Name, err)
	}
	all := States{}
	var c customers.Customer
	var a customers.Address
	var addressed bool
	fields := []any{&c.TenantID, &c.ID, &c.FullName, &c.Email, &addressed, &a.Street, &a.City, &a.PostalCode, &a.Country, &c.BalanceCents, &c.UpdatedAt}
	_, err = pgx.ForEachRow(rows, fields, func() error {
		if c.Address = nil; addressed {
			c.Address = &a
		}
		all[oracle.Key{Tenant: c.TenantID, Customer: c.ID}] = oracle.StateOf(c)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read %s in plain SQL: %w", side.Name, err)
	}
	return all, nil
}

// readers is how many keys are read through the repository at the same time.
const readers = 8

// ByRepository reads each key through the repository.
func ByRepository(ctx context.Context, repo customers.Customers, keys []oracle.Key) (States, error) {
	var mu sync.Mutex
	all := States{}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	for chunk := range slices.Chunk(keys, 100) {
		group.Go(func() error {
			for _, key := range chunk {
				c, err := repo.Get(ctx, key.Tenant, key.Customer)
				switch {
				case errors.Is(err, customers.ErrNotFound):
					continue
				case err != nil:
					return fmt.Errorf("read %s through the repository: %w", key, err)
				}
				mu.Lock()
				all[key] = oracle.StateOf(c)
				mu.Unlock()
			}
			return nil
		})
	}
	return all, group.Wait()
}

// Named is a set of states and where they were read.
type Named struct {
	Name string
	States
}

// Keys returns every key that is in any of the sets or among the others, each once.
func Keys(others []oracle.Key, sets ...States) []oracle.Key {
	seen := map[oracle.Key]bool{}
	var keys []oracle.Key
	add := func(key oracle.Key) {
		if !seen[key] {
			seen[key] = true
			keys = append(keys, key)
		}
	}
	for _, key := range others {
		add(key)
	}
	for _, set := range sets {
		for key := range set {
			add(key)
		}
	}
	return keys
}

// maxProblems bounds the descriptions.
const maxProblems = 10

// Compare counts the keys on which the sets do not agree, and describes the first few.
func Compare(keys []oracle.Key, first Named, others ...Named) (differing int64, problems []string) {
	for _, key := range keys {
		for _, other := range others {
			a, b := first.States[key], other.States[key]
			if a == b {
				continue
			}
			differing++
			if len(problems) < maxProblems {
				problems = append(problems, fmt.Sprintf("%s: %s and %s differ in %s", key, first.Name, other.Name, fields(a, b)))
			}
			break
		}
	}
	return differing, problems
}

// fields names the fields in which two states differ. It shows no value.
func fields(a, b oracle.State) string {
	text := ""
	for _, f := range []struct {
		name   string
		differ bool
	}{
		{"existence", a.Exists != b.Exists},
		{"FullName", a.FullName != b.FullName},
		{"Email", a.Email != b.Email},
		{"Address", a.Address != b.Address},
		{"BalanceCents", a.Cents != b.Cents},
		{"UpdatedAt", a.UpdatedAt != b.UpdatedAt},
	} {
		if f.differ && text != "" {
			text += ", "
		}
		if f.differ {
			text += f.name
		}
		if f.name == "existence" && f.differ {
			break
		}
	}
	return text
}
