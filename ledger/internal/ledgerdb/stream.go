// Package ledgerdb holds the ledger's queries as sqlc generates them, and what
// hands rows on as they arrive.
package ledgerdb

import "context"

// EachOverrideInForce is OverridesInForce, row by row: what is handed on is
// valid during the call only.
func (q *Queries) EachOverrideInForce(ctx context.Context, migrationID int32, each func(tenant, stage []byte) error) error {
	rows, err := q.db.Query(ctx, overridesInForce, migrationID)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		raw := rows.RawValues() // texts are the same bytes in both formats
		if err := each(raw[0], raw[1]); err != nil {
			return err
		}
	}
	return rows.Err()
}
