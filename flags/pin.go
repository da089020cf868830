package flags

import (
	"context"
	"sync"
	"time"
)

// DefaultPinAge is how long a pin holds when [Pin] is given no age.
const DefaultPinAge = 30 * time.Second

// Pin returns a ctx in which each migration's decision for a tenant is made
// once, at its first use, so that one request never mixes policies: the stage
// of a tenant, and under a share of keys that of each of its keys, is the same
// as long as the pin holds. Call release
// at the end of the request, once or more: until then the process acknowledges
// no newer epoch. After maxAge (zero means [DefaultPinAge]) the pin lets go by
// itself, and later uses decide anew; a pinned decision is also made anew when
// the lease of its policy ran out or a fence refused it. A ctx whose pin still
// holds is returned as it is, and release then does nothing: the outer request
// releases. The pin may be used by all goroutines of the request; the end of
// ctx does not release it.
func Pin(ctx context.Context, maxAge time.Duration) (_ context.Context, release func()) {
	if p := pinOf(ctx); p != nil && p.holds() {
		return ctx, func() {}
	}
	if maxAge <= 0 {
		maxAge = DefaultPinAge
	}
	p := &pin{held: map[pinKey]Use{}}
	timer := time.AfterFunc(maxAge, p.release)
	return context.WithValue(ctx, pinCtxKey{}, p), func() {
		timer.Stop()
		p.release()
	}
}

type pinCtxKey struct{}

// source is a decider whose decisions a pin can hold.
type source interface {
	Decider
	// decide makes a decision without looking at pins.
	decide(ctx context.Context, s Subject) (Use, error)
}

// pinKey names a decision within a pin: of is the *Flag or the decider that
// has no flag, so that all deciders over one flag share their decision. Keys
// have no entry of their own: the tenant's policy decides them, each time alike.
type pinKey struct {
	of     any
	tenant string
}

type pin struct {
	mu       sync.Mutex
	held     map[pinKey]Use // each holds one use of its policy
	released bool
}

func pinOf(ctx context.Context) *pin {
	p, _ := ctx.Value(pinCtxKey{}).(*pin)
	return p
}

// enter returns the pinned decision, made now where there is none yet. The
// pin holds one use and the operation another.
func (p *pin) enter(ctx context.Context, of any, src source, s Subject) (Use, error) {
	key := pinKey{of: of, tenant: s.Tenant}
	if use, ok := p.lookup(key); ok {
		return use.of(s), nil
	}
	use, err := src.decide(ctx, s) // may ask the ledger: not under the pin's mutex
	if err != nil {
		return Use{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.released {
		return use, nil
	}
	if other, ok := p.live(key); ok { // another goroutine of the request was first
		use.Done()
		return other.again().of(s), nil
	}
	p.held[key] = use.again()
	return use, nil
}

func (p *pin) lookup(key pinKey) (Use, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	use, ok := p.live(key)
	if !ok {
		return Use{}, false
	}
	return use.again(), true
}

// live returns the held decision, and forgets one whose lease ran out: the
// fleet no longer waits for it. It is called with the mutex held.
func (p *pin) live(key pinKey) (Use, bool) {
	use, ok := p.held[key]
	if ok && use.lapsed() {
		delete(p.held, key)
		use.Done()
		return Use{}, false
	}
	return use, ok
}

// drop forgets a decision that the fence refused.
func (p *pin) drop(of any, s Subject, d Decision) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := pinKey{of: of, tenant: s.Tenant}
	if use, ok := p.held[key]; ok && use.Epoch == d.Epoch && use.PolicyID == d.PolicyID {
		delete(p.held, key)
		use.Done()
	}
}

func (p *pin) holds() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.released
}

func (p *pin) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.released = true
	for key, use := range p.held {
		delete(p.held, key)
		use.Done()
	}
}
