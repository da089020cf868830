// Package v1 keeps invoices in Chinook's own tables: flat billing_* columns and
// numeric amounts.
package v1

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/examples/chinook/invoices"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// Repository is version 1 of the invoices.
type Repository struct{ db postgres.DBTX }

// New is the factory of the side.
func New(db postgres.DBTX) invoices.Invoices { return &Repository{db: db} }

const selectSQL = `
select i.invoice_id, i.customer_id, i.invoice_date, i.billing_address, i.billing_city, i.billing_state, i.billing_country,
       i.billing_postal_code, (i.total * 100)::bigint
from invoice i join customer c on c.customer_id = i.customer_id
where c.country = $1 `

// Get implements [invoices.Invoices].
func (r *Repository) Get(ctx context.Context, tenant string, id int32) (invoices.Invoice, error) {
	found, err := r.query(ctx, selectSQL+"and i.invoice_id = $2", tenant, id)
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
	return r.query(ctx, selectSQL+"and i.customer_id = $2 order by i.invoice_id", tenant, customer)
}

func (r *Repository) query(ctx context.Context, sql string, args ...any) ([]invoices.Invoice, error) {
	rows, err := r.db.Query(ctx, sql, args...)
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
	return found, r.lines(ctx, found)
}

func (r *Repository) lines(ctx context.Context, found []invoices.Invoice) error {
	ids := make([]int32, len(found))
	at := make(map[int32]*invoices.Invoice, len(found))
	for i := range found {
		ids[i], at[found[i].ID] = found[i].ID, &found[i]
	}
	const query = `select invoice_id, invoice_line_id, track_id, (unit_price * 100)::bigint, quantity
		from invoice_line where invoice_id = any($1) order by invoice_line_id`
	rows, err := r.db.Query(ctx, query, ids) //nolint:rowserrcheck // ForEachRow checks
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

// Save implements [invoices.Invoices].
func (r *Repository) Save(ctx context.Context, tenant string, i invoices.Invoice) error {
	tag, err := r.db.Exec(ctx, `
		insert into invoice (invoice_id, customer_id, invoice_date, billing_address, billing_city, billing_state, billing_country, billing_postal_code, total)
		select $2, c.customer_id, $4, $5, $6, $7, $8, $9, $10::numeric / 100 from customer c where c.customer_id = $3 and c.country = $1
		on conflict (invoice_id) do update set customer_id = excluded.customer_id, invoice_date = excluded.invoice_date,
			billing_address = excluded.billing_address, billing_city = excluded.billing_city, billing_state = excluded.billing_state,
			billing_country = excluded.billing_country, billing_postal_code = excluded.billing_postal_code, total = excluded.total`,
		tenant, i.ID, i.CustomerID, i.Date, i.Address.Street, i.Address.City, i.Address.State, i.Address.Country, i.Address.PostalCode, i.TotalCents)
	if err != nil {
		return fmt.Errorf("save invoice: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return errors.New("save invoice: the customer is not one of this country")
	}
	batch := &pgx.Batch{}
	batch.Queue("delete from invoice_line where invoice_id = $1", i.ID)
	for _, line := range i.Lines {
		batch.Queue("insert into invoice_line (invoice_line_id, invoice_id, track_id, unit_price, quantity) values ($1, $2, $3, $4::numeric / 100, $5)",
			line.ID, i.ID, line.TrackID, line.UnitPriceCents, line.Quantity)
	}
	if err := r.db.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("save the lines of an invoice: %w", err)
	}
	return nil
}

// Move implements [invoices.Invoices].
func (r *Repository) Move(ctx context.Context, tenant string, id int32, to invoices.Address) error {
	tag, err := r.db.Exec(ctx, `
		update invoice i set billing_address = $3, billing_city = $4, billing_state = $5, billing_country = $6, billing_postal_code = $7
		from customer c where c.customer_id = i.customer_id and c.country = $1 and i.invoice_id = $2`,
		tenant, id, to.Street, to.City, to.State, to.Country, to.PostalCode)
	if err == nil && tag.RowsAffected() == 0 {
		return invoices.ErrNotFound
	}
	return err
}

// Delete implements [invoices.Invoices].
func (r *Repository) Delete(ctx context.Context, tenant string, id int32) error {
	tag, err := r.db.Exec(ctx, `
		with gone as (
			delete from invoice i using customer c where c.customer_id = i.customer_id and c.country = $1 and i.invoice_id = $2 returning i.invoice_id
		), lines as (delete from invoice_line where invoice_id in (select invoice_id from gone))
		select from gone`, tenant, id)
	if err == nil && tag.RowsAffected() == 0 {
		return invoices.ErrNotFound
	}
	return err
}

// Keys implements [invoices.Invoices].
func (r *Repository) Keys(ctx context.Context, tenant string, after *int32, limit int) ([]int32, error) {
	rows, err := r.db.Query(ctx, `
		select i.invoice_id from invoice i join customer c on c.customer_id = i.customer_id
		where c.country = $1 and ($2::int is null or i.invoice_id > $2) order by i.invoice_id limit $3`, tenant, after, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int32])
}
