package workload

import (
	"math/rand/v2"
	"time"

	"github.com/crossfade-db/crossfade/examples/quickstart/internal/oracle"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/seed"
)

// moment is how long all processes go for the same hot customer.
const moment = 100 * time.Millisecond

// target picks the customer of the next operation: the hot one of the moment, one that this process made, or any of
// those that were there at the start.
func (s *session) target() oracle.Key {
	switch n := s.rand.IntN(20); {
	case n < 11:
		return hot(s.cfg.Data, time.Now(), 0)
	case n == 11:
		if key, ok := s.anyMade(s.rand); ok {
			return key
		}
	}
	tenant := s.rand.IntN(s.cfg.Data.Tenants)
	return keyOf(s.cfg.Data, tenant, s.rand.IntN(s.cfg.Data.InTenant(tenant)))
}

// partner picks another customer of the same tenant: another hot one, or any.
func (s *session) partner(of oracle.Key) oracle.Key {
	if other := hot(s.cfg.Data, time.Now(), 1); other.Tenant == of.Tenant && other != of {
		return other
	}
	for tenant := range s.cfg.Data.Tenants {
		if s.cfg.Data.Tenant(tenant) != of.Tenant {
			continue
		}
		if other := keyOf(s.cfg.Data, tenant, s.rand.IntN(s.cfg.Data.InTenant(tenant))); other != of {
			return other
		}
	}
	return of
}

// hot returns a hot customer of the moment's tenant. It depends on the time alone, so that all processes get the same.
func hot(d seed.Data, now time.Time, next int) oracle.Key {
	r := rand.New(rand.NewPCG(d.Seed, uint64(now.UnixNano()/int64(moment))))
	tenant := r.IntN(d.Tenants)
	return keyOf(d, tenant, (r.IntN(seed.HotKeys)+next)%seed.HotKeys)
}

func keyOf(d seed.Data, tenant, i int) oracle.Key {
	c := d.Customer(tenant, i)
	return oracle.Key{Tenant: c.TenantID, Customer: c.ID}
}
