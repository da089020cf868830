package ledger

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/ledger/internal/ledgerdb"
)

// What the ledger keeps of a record, in bytes: an index entry of PostgreSQL
// holds 2,700 at most, and nobody reads longer values.
const (
	maxNamed = 400
	maxValue = 2000
)

// Sink returns a sink that keeps confirmed mismatches in the ledger: one row
// per tenant, operation, key, field and stage, with a count. It keeps at most
// Config.MaxMismatches rows of a migration; what comes beyond is counted, per
// operation and stage, in rows of kind [OverflowKind]. Resolved mismatches make
// room for new ones.
func (s *Store) Sink() compare.Sink { return sink{s} }

type sink struct{ store *Store }

// Record implements [compare.Sink].
func (k sink) Record(ctx context.Context, records []compare.Record) error {
	ctx, cancel := k.store.bounded(ctx)
	defer cancel()
	byMigration := map[string][]compare.Record{}
	for _, r := range records {
		byMigration[r.Migration] = append(byMigration[r.Migration], r)
	}
	for _, name := range slices.Sorted(maps.Keys(byMigration)) {
		if err := k.store.record(ctx, name, byMigration[name]); err != nil {
			return wrap("record mismatches of "+name, err)
		}
	}
	return nil
}

func (s *Store) record(ctx context.Context, migration string, records []compare.Record) error {
	rows := aggregate(records)
	return s.inTx(ctx, pgx.TxOptions{}, func(q *ledgerdb.Queries) error {
		m, err := byName(ctx, q, migration)
		if err != nil {
			return err
		}
		if err := q.LockMismatches(ctx, m.ID); err != nil {
			return fmt.Errorf("lock the mismatches: %w", err)
		}
		var fresh []ledgerdb.AddMismatchParams
		for _, row := range rows {
			row.MigrationID = m.ID
			seen, err := q.SeenAgain(ctx, again(row))
			if err != nil {
				return fmt.Errorf("count a mismatch: %w", err)
			}
			if seen == 0 {
				fresh = append(fresh, row)
			}
		}
		return s.add(ctx, q, m.ID, fresh)
	})
}

// add inserts rows while there is room, and counts the others.
func (s *Store) add(ctx context.Context, q *ledgerdb.Queries, migration int32, fresh []ledgerdb.AddMismatchParams) error {
	if len(fresh) == 0 {
		return nil
	}
	kept, err := q.CountMismatches(ctx, migration)
	if err != nil {
		return fmt.Errorf("count the mismatches: %w", err)
	}
	room := int64(s.cfg.MaxMismatches) - kept
	if missing := int64(len(fresh)) - room; missing > 0 {
		dropped, err := q.DropResolved(ctx, ledgerdb.DropResolvedParams{MigrationID: migration, UpTo: limit(int(missing))})
		if err != nil {
			return fmt.Errorf("drop resolved mismatches: %w", err)
		}
		room += dropped
	}
	for i, row := range fresh {
		if int64(i) >= room {
			row.Tenant, row.Key, row.Field, row.Kind, row.Served, row.Other, row.RequestID = "", "", "", OverflowKind, "", "", ""
		}
		if err := q.AddMismatch(ctx, row); err != nil {
			return fmt.Errorf("insert a mismatch: %w", err)
		}
	}
	return nil
}

func again(r ledgerdb.AddMismatchParams) ledgerdb.SeenAgainParams {
	return ledgerdb.SeenAgainParams{
		MigrationID: r.MigrationID, Tenant: r.Tenant, Operation: r.Operation, Key: r.Key, Field: r.Field, Stage: r.Stage,
		Kind: r.Kind, Epoch: r.Epoch, Served: r.Served, Other: r.Other, RequestID: r.RequestID,
		FirstSeen: r.FirstSeen, LastSeen: r.LastSeen, Count: r.Count,
	}
}

type mismatchKey struct{ tenant, operation, key, field, stage string }

// aggregate makes one row of all records of the same difference, in a fixed
// order, so that two sinks never wait for each other in a circle.
func aggregate(records []compare.Record) []ledgerdb.AddMismatchParams {
	rows := map[mismatchKey]*ledgerdb.AddMismatchParams{}
	for _, r := range records {
		at := r.At
		if at.IsZero() {
			at = time.Now()
		}
		k := mismatchKey{
			tenant: kept(r.Tenant, maxNamed), operation: kept(r.Operation, maxNamed), key: kept(r.Key, maxNamed),
			field: kept(r.Field, maxNamed), stage: kept(r.Stage, maxNamed),
		}
		row := rows[k]
		if row == nil {
			row = &ledgerdb.AddMismatchParams{
				Tenant: k.tenant, Operation: k.operation, Key: k.key, Field: k.field, Stage: k.stage, FirstSeen: at, LastSeen: at,
			}
			rows[k] = row
		}
		row.Count++
		if at.Before(row.FirstSeen) {
			row.FirstSeen = at
		}
		if !at.Before(row.LastSeen) {
			row.LastSeen, row.Epoch, row.Kind = at, r.Epoch, kept(string(r.Kind), maxNamed)
			row.Served, row.Other, row.RequestID = kept(r.Served, maxValue), kept(r.Other, maxValue), kept(r.RequestID, maxNamed)
		}
	}
	all := make([]ledgerdb.AddMismatchParams, 0, len(rows))
	for _, row := range rows {
		all = append(all, *row)
	}
	slices.SortFunc(all, func(a, b ledgerdb.AddMismatchParams) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Key, b.Key),
			cmp.Compare(a.Field, b.Field), cmp.Compare(a.Stage, b.Stage))
	})
	return all
}

// kept returns text as PostgreSQL can store it, within the bound. Two long
// texts that begin alike stay different.
func kept(text string, bound int) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "?"), "\x00", "?")
	if len(text) <= bound {
		return text
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(text)) // hash.Hash never returns an error
	return strings.ToValidUTF8(text[:bound-20], "") + fmt.Sprintf("...%016x", h.Sum64())
}
