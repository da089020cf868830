// Package seed makes the customers that the demonstration starts with, from a number: the same number makes the same
// customers, so that whoever checks the end of a walk can know its beginning without asking the database.
//
// The customers are chosen to be awkward: names of one word and of five, many scripts, quotes and double spaces;
// addresses that are unknown, empty or known in parts; debts. It makes nothing that breaks a rule of the domain.
package seed

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/crossfade-db/crossfade/examples/quickstart/internal/customers"
)

// Data says which customers there are at the start. Equal values make equal customers.
type Data struct {
	Seed      uint64
	Tenants   int
	Customers int
}

// Check returns an error for numbers that make no demonstration.
func (d Data) Check() error {
	switch {
	case d.Tenants < 1:
		return fmt.Errorf("%d tenants are too few: there must be one at least", d.Tenants)
	case d.Customers < d.Tenants*HotKeys:
		return fmt.Errorf("%d customers are too few for %d tenants: each tenant needs %d at least", d.Customers, d.Tenants, HotKeys)
	}
	return nil
}

// HotKeys is how many customers of each tenant all processes fight over.
const HotKeys = 3

// Tenant returns the id of tenant number n, 0 to Tenants-1.
func (d Data) Tenant(n int) uuid.UUID { return newID(d.random(streamTenants, n)) }

// AllTenants returns the ids of all tenants.
func (d Data) AllTenants() []uuid.UUID {
	all := make([]uuid.UUID, d.Tenants)
	for n := range all {
		all[n] = d.Tenant(n)
	}
	return all
}

// InTenant returns how many customers tenant number n starts with.
func (d Data) InTenant(n int) int {
	return (d.Customers - n + d.Tenants - 1) / d.Tenants
}

// Customer returns customer number i of tenant number n; the first [HotKeys] are the hot ones.
func (d Data) Customer(n, i int) customers.Customer {
	number := i*d.Tenants + n
	r := d.random(streamCustomers, number)
	c := customers.Customer{TenantID: d.Tenant(n), ID: newID(r)}
	Fill(r, &c)
	c.Email = fmt.Sprintf("%s%d@example.org", pick(r, mailboxes), number)
	c.UpdatedAt = firstUpdate.Add(time.Duration(r.Int64N(updatesWithin.Microseconds())) * time.Microsecond)
	return c
}

// Fill gives a customer a name, an address and a balance.
func Fill(r *rand.Rand, c *customers.Customer) {
	c.FullName, c.Address, c.BalanceCents = name(r), address(r), balance(r)
}

// The streams of random numbers, so that tenants and customers do not depend on each other.
const (
	streamTenants = iota + 1
	streamCustomers
)

func (d Data) random(stream, n int) *rand.Rand {
	return rand.New(rand.NewPCG(d.Seed, uint64(stream)<<56|uint64(n)))
}

func newID(r *rand.Rand) uuid.UUID {
	var id uuid.UUID
	for i := range id {
		id[i] = byte(r.Uint32())
	}
	id[6] = id[6]&0x0f | 0x40 // a random UUID, version 4
	id[8] = id[8]&0x3f | 0x80
	return id
}

var firstUpdate = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

const updatesWithin = 365 * 24 * time.Hour

// name has one to five words, mostly of one script; now and then a double space.
func name(r *rand.Rand) string {
	script := pick(r, scripts)
	words := make([]string, 1+r.IntN(5))
	for i := range words {
		words[i] = pick(r, script)
	}
	space := " "
	if r.IntN(20) == 0 {
		space = "  "
	}
	return strings.Join(words, space)
}

// address is unknown, empty, known in parts or complete.
func address(r *rand.Rand) *customers.Address {
	switch r.IntN(6) {
	case 0:
		return nil
	case 1:
		return &customers.Address{}
	case 2:
		return &customers.Address{Country: pick(r, countries)}
	case 3:
		return &customers.Address{Street: street(r), City: pick(r, cities)}
	}
	return &customers.Address{
		Street: street(r), City: pick(r, cities),
		PostalCode: fmt.Sprintf("%05d", r.IntN(100_000)), Country: pick(r, countries),
	}
}

func street(r *rand.Rand) string { return fmt.Sprintf("%s %d", pick(r, streets), 1+r.IntN(200)) }

// balance is zero, a debt or a credit, and now and then close to what fits.
func balance(r *rand.Rand) int64 {
	switch r.IntN(10) {
	case 0:
		return 0
	case 1, 2, 3:
		return -r.Int64N(1_000_000)
	case 4:
		return (customers.MaxBalanceCents - r.Int64N(1000)) / 10 * int64(1-2*r.IntN(2))
	}
	return r.Int64N(1_000_000)
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }
