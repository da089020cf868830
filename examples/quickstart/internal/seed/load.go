package seed

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// CopyFromer is what rows are loaded through: a pgx connection, pool or transaction.
type CopyFromer interface {
	CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error)
}

// Load inserts all customers into version 1's table, where the application stood before the migration.
func (d Data) Load(ctx context.Context, db CopyFromer) error {
	tenant, i := 0, 0
	rows := pgx.CopyFromFunc(func() ([]any, error) {
		for tenant < d.Tenants && i >= d.InTenant(tenant) {
			tenant, i = tenant+1, 0
		}
		if tenant == d.Tenants {
			return nil, nil
		}
		c := d.Customer(tenant, i)
		i++
		var address any // NULL where it is not known
		if c.Address != nil {
			address = c.Address
		}
		return []any{c.TenantID, c.ID, c.FullName, c.Email, address, c.BalanceCents, c.UpdatedAt}, nil
	})
	_, err := db.CopyFrom(ctx, pgx.Identifier{"quickstart_v1", "customers"},
		[]string{"tenant_id", "id", "full_name", "email", "address", "balance_cents", "updated_at"}, rows)
	if err != nil {
		return fmt.Errorf("load the customers of seed %d: %w", d.Seed, err)
	}
	return nil
}
