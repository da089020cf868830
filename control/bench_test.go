package control_test

import (
	"fmt"
	"testing"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// What the interlocks cost a migration with 100,000 tenants that have states
// of their own.
func BenchmarkCheck(b *testing.B) {
	s := at(flags.Dual)
	s.Tenants = map[string]ledger.TenantState{}
	for i := range 100_000 {
		tenant := fmt.Sprintf("tenant-%d", i)
		s.Tenants[tenant] = ledger.TenantState{Tenant: tenant, BackfilledAt: &now, VerifiedAt: &now, OldComplete: true}
	}
	for b.Loop() {
		if blocks := control.Check(s, flags.Policy{Default: flags.Shadow}); len(blocks) > 0 {
			b.Fatal(blocks)
		}
	}
}
