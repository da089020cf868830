package flags

import (
	"context"
	"sync"
	"time"
)

// DefaultPinAge is how long a pin holds when [Pin] is given no age.
const DefaultPinAge = 30 * time.Second

// Pin returns a ctx in which each migration's decision for a tenant is made
// once, at its first use, so that one request never mixes stages. Call release
// at the end of the request: until then the process acknowledges no newer
// epoch. After maxAge (zero means [DefaultPinAge]) the pin lets go by itself,
// and later uses decide anew. A ctx that is pinned already is returned as it is.
func Pin(ctx context.Context, maxAge time.Duration) (_ context.Context, release func()) {
	if pinOf(ctx) != nil {
		return ctx, func() {}
	}
	if maxAge <= 0 {
		maxAge = DefaultPinAge
	}
	p := &pin{held: map[pinKey]*Compiled{}}
	timer := time.AfterFunc(maxAge, p.release)
	return context.WithValue(ctx, pinCtxKey{}, p), func() {
		timer.Stop()
		p.release()
	}
}

type pinCtxKey struct{}

type pinKey struct {
	flag   *Flag
	tenant string
}

type pin struct {
	mu       sync.Mutex
	held     map[pinKey]*Compiled
	released bool
}

func pinOf(ctx context.Context) *pin {
	p, _ := ctx.Value(pinCtxKey{}).(*pin)
	return p
}

// enter returns the pinned decision, made now where there is none yet. The
// pin holds one use and the operation another.
func (p *pin) enter(ctx context.Context, f *Flag, s Subject) (Use, error) {
	key := pinKey{flag: f, tenant: s.Tenant}
	if use, ok := p.held1(key, s); ok {
		return use, nil
	}
	c, err := f.acquire(ctx) // may ask the ledger: not under the pin's mutex
	if err != nil {
		return Use{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if other := p.held[key]; other != nil && !p.released {
		c.refs.n.Add(-1)
		other.refs.n.Add(1)
		return other.use(s), nil
	}
	if !p.released {
		c.refs.n.Add(1)
		p.held[key] = c
	}
	return c.use(s), nil
}

func (p *pin) held1(key pinKey, s Subject) (Use, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.held[key]
	if c == nil {
		return Use{}, false
	}
	c.refs.n.Add(1)
	return c.use(s), true
}

// drop forgets a decision that the fence refused.
func (p *pin) drop(f *Flag, s Subject, d Decision) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := pinKey{flag: f, tenant: s.Tenant}
	c := p.held[key]
	if c != nil && c.policy.Epoch == d.Epoch && c.policy.ID == d.PolicyID {
		delete(p.held, key)
		c.refs.n.Add(-1)
	}
}

func (p *pin) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.released = true
	for key, c := range p.held {
		c.refs.n.Add(-1)
		delete(p.held, key)
	}
}
