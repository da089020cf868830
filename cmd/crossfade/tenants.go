package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/crossfade-db/crossfade/ledger"
)

// knownTenants are the tenants that the ledger knows by name.
func knownTenants(s *ledger.State) map[string]bool {
	known := map[string]bool{}
	for t := range s.Tenants {
		known[t] = true
	}
	for _, c := range s.Stale {
		known[c.Tenant] = true
	}
	for _, p := range s.Policies {
		for t := range p.Overrides {
			known[t] = true
		}
	}
	return known
}

// checkTenants looks for misspelt tenants, since a name that nobody has would be
// taken in silence. After a backfill of the whole migration the ledger knows
// every tenant of the application, so that another name is refused unless
// unseen is allowed; before that, a name much like a known one is pointed out.
// It returns the state that it looked at.
func (a *app) checkTenants(ctx context.Context, store *ledger.Store, migration string, tenants []string, unseen bool) (*ledger.State, error) {
	if slices.Contains(tenants, "") {
		return nil, usagef("a tenant's name is empty")
	}
	state, err := store.Load(ctx, migration)
	if err != nil {
		return nil, err
	}
	known := knownTenants(state)
	for _, tenant := range tenants {
		if known[tenant] || len(known) == 0 {
			continue
		}
		similar := nearest(tenant, slices.Sorted(maps.Keys(known)))
		if similar != "" {
			similar = fmt.Sprintf("; did you mean %q?", similar)
		}
		if state.Whole.BackfilledAt != nil && !unseen {
			return nil, usagef("%s: tenant %q is none of the %s that the ledger knows%s (--new-tenant if it was born since the backfill)",
				migration, tenant, plural(len(known), "tenant"), similar)
		}
		if similar != "" || state.Whole.BackfilledAt != nil {
			a.note("the ledger does not know tenant %q by name%s", tenant, similar)
		}
	}
	return state, nil
}

// nearest returns the name that is most like another one, or "" when none is
// within two edits and a third of its letters.
func nearest(name string, names []string) string {
	found, least := "", min(2, len(name)/3)+1
	for _, n := range names {
		if d := edits(name, n); d < least {
			found, least = n, d
		}
	}
	return found
}

// edits is the Levenshtein distance in bytes.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := before
			if a[i] != b[j] {
				cost++
			}
			before = row[j+1]
			row[j+1] = min(cost, before+1, row[j]+1)
		}
	}
	return row[len(b)]
}
