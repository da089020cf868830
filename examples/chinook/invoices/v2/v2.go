// Package v2 keeps invoices with deduplicated addresses, amounts in integer
// cents and the position of each line.
package v2

import (
	"context"
	_ "embed" // for Schema
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/examples/chinook/invoices"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// Schema makes the tables of version 2.
//
//go:embed schema.sql
var Schema string

// Repository is version 2 of the invoices.
type Repository struct{ db postgres.DBTX }

// New is the factory of the side.
func New(db postgres.DBTX) invoices.Invoices { return &Repository{db: db} }

const selectSQL = `
select i.id, i.customer_id, i.invoiced_at, a.street, a.city, a.state, a.country, a.postal_code, i.total_cents
from chinook_v2.invoices i join chinook_v2.addresses a on a.id = i.address_id
where i.tenant = $1 `

// Get implements [invoices.Invoices].
func (r *Repository) Get(ctx context.Context, tenant string, id int32) (invoices.Invoice, error) {
	found, err := r.query(ctx, tenant, selectSQL+"and i.id = $2", id)
	if err == nil && len(found) == 0 {
		return invoices.Invoice{}, invoices.ErrNotFound
	}
	if err != nil {
		return invoices.Invoice{}, fmt.Errorf("get invoice: %w", err)
	}
	return found[0], nil
}

// GetForUpdate implements [invoices.Invoices]; the key's lock is the lock.
func (r *Repository) GetForUpdate(ctx context.Context, tenant string, id int32) (invoices.Invoice, error) {
	return r.Get(ctx, tenant, id)
}

// OfCustomer implements [invoices.Invoices].
func (r *Repository) OfCustomer(ctx context.Context, tenant string, customer int32) ([]invoices.Invoice, error) {
	return r.query(ctx, tenant, selectSQL+"and i.customer_id = $2 order by i.id", customer)
}

func (r *Repository) query(ctx context.Context, tenant, sql string, arg any) ([]invoices.Invoice, error) {
	rows, err := r.db.Query(ctx, sql, tenant, arg)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (i invoices.Invoice, err error) {
		a := &i.Address
		err = row.Scan(&i.ID, &i.CustomerID, &i.Date, &a.Street, &a.City, &a.State, &a.Country, &a.PostalCode, &i.TotalCents)
		return i, err
	})
	if err != nil {
		return nil, err
	}
	return found, r.lines(ctx, tenant, found)
}

func (r *Repository) lines(ctx context.Context, tenant string, found []invoices.Invoice) error {
	ids := make([]int32, len(found))
	at := make(map[int32]*invoices.Invoice, len(found))
	for i := range found {
		ids[i], at[found[i].ID] = found[i].ID, &found[i]
	}
	const query = `select invoice_id, id, track_id, unit_price_cents, quantity
		from chinook_v2.invoice_lines where tenant = $1 and invoice_id = any($2) order by invoice_id, position`
	rows, err := r.db.Query(ctx, query, tenant, ids) //nolint:rowserrcheck // ForEachRow checks
	if err != nil {
		return err
	}
	var invoice int32
	var line invoices.Line
	_, err = pgx.ForEachRow(rows, []any{&invoice, &line.ID, &line.TrackID, &line.UnitPriceCents, &line.Quantity}, func() error {
		at[invoice].Lines = append(at[invoice].Lines, line)
		return nil
	})
	return err
}

// address returns the id of an address, made where there is none. Two writers
// of the same new address wait for each other at the unique index.
func (r *Repository) address(ctx context.Context, a invoices.Address) (id int64, err error) {
	_, err = r.db.Exec(ctx, `insert into chinook_v2.addresses (street, city, state, country, postal_code) values ($1, $2, $3, $4, $5) on conflict do nothing`,
		a.Street, a.City, a.State, a.Country, a.PostalCode)
	if err != nil {
		return 0, fmt.Errorf("save an address: %w", err)
	}
	err = r.db.QueryRow(ctx, `select id from chinook_v2.addresses where coalesce('=' || street, '') = coalesce('=' || $1::text, '')
		and coalesce('=' || city, '') = coalesce('=' || $2::text, '') and coalesce('=' || state, '') = coalesce('=' || $3::text, '')
		and coalesce('=' || country, '') = coalesce('=' || $4::text, '') and coalesce('=' || postal_code, '') = coalesce('=' || $5::text, '')`,
		a.Street, a.City, a.State, a.Country, a.PostalCode).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("find an address: %w", err)
	}
	return id, nil
}

// Save implements [invoices.Invoices].
func (r *Repository) Save(ctx context.Context, tenant string, i invoices.Invoice) error {
	address, err := r.address(ctx, i.Address)
	if err != nil {
		return err
	}
	batch := &pgx.Batch{}
	batch.Queue(`insert into chinook_v2.invoices (tenant, id, customer_id, invoiced_at, address_id, total_cents) values ($1, $2, $3, $4, $5, $6)
		on conflict (tenant, id) do update set customer_id = excluded.customer_id, invoiced_at = excluded.invoiced_at,
			address_id = excluded.address_id, total_cents = excluded.total_cents`,
		tenant, i.ID, i.CustomerID, i.Date, address, i.TotalCents)
	batch.Queue("delete from chinook_v2.invoice_lines where tenant = $1 and invoice_id = $2", tenant, i.ID)
	for n, line := range i.Lines {
		batch.Queue(`insert into chinook_v2.invoice_lines (tenant, invoice_id, position, id, track_id, unit_price_cents, quantity) values ($1, $2, $3, $4, $5, $6, $7)`,
			tenant, i.ID, n+1, line.ID, line.TrackID, line.UnitPriceCents, line.Quantity)
	}
	if err := r.db.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("save invoice: %w", err)
	}
	return nil
}

// Move implements [invoices.Invoices].
func (r *Repository) Move(ctx context.Context, tenant string, id int32, to invoices.Address) error {
	address, err := r.address(ctx, to)
	if err != nil {
		return err
	}
	tag, err := r.db.Exec(ctx, "update chinook_v2.invoices set address_id = $3 where tenant = $1 and id = $2", tenant, id, address)
	if err == nil && tag.RowsAffected() == 0 {
		return invoices.ErrNotFound
	}
	return err
}

// Delete implements [invoices.Invoices].
func (r *Repository) Delete(ctx context.Context, tenant string, id int32) error {
	tag, err := r.db.Exec(ctx, "delete from chinook_v2.invoices where tenant = $1 and id = $2", tenant, id)
	if err == nil && tag.RowsAffected() == 0 {
		return invoices.ErrNotFound
	}
	return err
}

// Keys implements [invoices.Invoices].
func (r *Repository) Keys(ctx context.Context, tenant string, after *int32, limit int) ([]int32, error) {
	rows, err := r.db.Query(ctx, "select id from chinook_v2.invoices where tenant = $1 and ($2::int is null or id > $2) order by id limit $3", tenant, after, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int32])
}
