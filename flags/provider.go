package flags

import (
	"context"
	"fmt"
	"sync"

	"github.com/open-feature/go-sdk/openfeature"
)

// ProviderName is the name that a [Provider] reports to OpenFeature.
const ProviderName = "crossfade"

// The keys of a flag's metadata, and of the metadata of a change event.
const (
	MetadataEpoch    = "epoch"     // int64
	MetadataPolicyID = "policy_id" // string, as PostgreSQL prints a uuid
	// MetadataMixed is the name of the upper rung where the answer is that of a
	// tenant whose keys stand at two; absent otherwise.
	MetadataMixed = "mixed"
)

// AttributeKey is the attribute of the evaluation context that holds the
// canonical text of the key that a decision is about. It matters under a share
// of keys alone: without it the answer is the lower of the two rungs.
const AttributeKey = "key"

// Provider serves the stages that the ledger granted to any OpenFeature client:
// the flag key is the migration's name, the targeting key the tenant, the
// attribute [AttributeKey] the key where there is one, the value and the variant
// the stage's name. It evaluates from memory and fetches
// nothing.
//
// The reason is STATIC for the policy's default, SPLIT for its percentage step
// and TARGETING_MATCH for an override; epoch and policy id are in the flag's
// metadata. Errors: FLAG_NOT_FOUND, TARGETING_KEY_MISSING, INVALID_CONTEXT for
// a key that matters and is no string, TYPE_MISMATCH for
// any other type than string, PROVIDER_NOT_READY while there is no policy to
// act on.
//
// While it is initialized it emits PROVIDER_CONFIGURATION_CHANGED for each
// migration with another policy than announced before (its epoch and policy id
// in the event's metadata), PROVIDER_STALE when the policies ran out of their
// lease, PROVIDER_ERROR when the ledger could not be read, and PROVIDER_READY
// when they are confirmed again. Events that nobody has taken yet are replaced
// by newer ones: the latest is never lost, what it replaced is.
//
// An evaluation keeps no epoch alive: act on [Through], not on a client alone.
// All methods may be called concurrently.
type Provider struct {
	set    *Set
	events chan openfeature.Event

	mu  sync.Mutex
	run *announcer // nil unless initialized
}

var (
	_ openfeature.FeatureProvider          = (*Provider)(nil)
	_ openfeature.ContextAwareStateHandler = (*Provider)(nil)
	_ openfeature.EventHandler             = (*Provider)(nil)
)

// NewProvider returns a provider over the set's policies. It does nothing in
// the background until OpenFeature initializes it.
func NewProvider(set *Set) *Provider {
	return &Provider{set: set, events: make(chan openfeature.Event)}
}

// Metadata returns the provider's name.
func (p *Provider) Metadata() openfeature.Metadata { return openfeature.Metadata{Name: ProviderName} }

// Hooks returns none.
func (p *Provider) Hooks() []openfeature.Hook { return nil }

// Init is [Provider.InitWithContext] without a ctx.
func (p *Provider) Init(ec openfeature.EvaluationContext) error {
	return p.InitWithContext(context.Background(), ec)
}

// InitWithContext begins to watch the set. Where the policies ran out of their
// lease, it is an [*openfeature.ProviderInitError]; the provider then becomes
// ready by an event as soon as they are confirmed. Initializing twice, as
// OpenFeature does for two domains, changes nothing.
func (p *Provider) InitWithContext(ctx context.Context, _ openfeature.EvaluationContext) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("initialize the %s provider: %w", ProviderName, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.run == nil {
		p.run = newAnnouncer(p.set, p.events)
	}
	if h := p.set.healthNow(); h.Kind == Stale {
		return &openfeature.ProviderInitError{ErrorCode: openfeature.ProviderNotReadyCode, Message: staleText(h.Err)}
	}
	return nil
}

// Shutdown stops watching and returns when the background work has ended. The
// provider may be initialized again.
func (p *Provider) Shutdown() {
	p.mu.Lock()
	run := p.run
	p.run = nil
	p.mu.Unlock()
	if run != nil {
		run.stop()
	}
}

// ShutdownWithContext is [Provider.Shutdown], which waits for nothing that
// could hang, and so needs no ctx.
func (p *Provider) ShutdownWithContext(context.Context) error {
	p.Shutdown()
	return nil
}

// EventChannel returns the channel of the provider's events, the same at every
// call. It is never closed.
func (p *Provider) EventChannel() <-chan openfeature.Event { return p.events }

// StringEvaluation returns the tenant's granted stage.
func (p *Provider) StringEvaluation(_ context.Context, flag, defaultValue string, flat openfeature.FlattenedContext) openfeature.StringResolutionDetail {
	fail := func(e openfeature.ResolutionError) openfeature.StringResolutionDetail {
		return openfeature.StringResolutionDetail{Value: defaultValue, ProviderResolutionDetail: failed(e)}
	}
	c, problem := p.compiled(flag)
	if problem != nil {
		return fail(*problem)
	}
	tenant, ok := flat[openfeature.TargetingKey].(string)
	if !ok || tenant == "" {
		return fail(openfeature.NewTargetingKeyMissingResolutionError(fmt.Sprintf("flag %s: pass the tenant as the targeting key", flag)))
	}
	key, ok := flat[AttributeKey].(string)
	if _, given := flat[AttributeKey]; given && !ok && c.ofKeys() {
		return fail(openfeature.NewInvalidContextResolutionError(fmt.Sprintf("flag %s: the attribute %q is no string: pass the key's canonical text", flag, AttributeKey)))
	}
	d := c.decide(Subject{Tenant: tenant, Key: key})
	metadata := openfeature.FlagMetadata{MetadataEpoch: d.Epoch, MetadataPolicyID: d.PolicyID.String()}
	if d.Mixed.Valid() {
		metadata[MetadataMixed] = d.Mixed.String()
	}
	return openfeature.StringResolutionDetail{
		Value: d.Stage.String(),
		ProviderResolutionDetail: openfeature.ProviderResolutionDetail{
			Reason:       reasons[d.Reason],
			Variant:      d.Stage.String(),
			FlagMetadata: metadata,
		},
	}
}

var reasons = map[Reason]openfeature.Reason{
	ReasonDefault:    openfeature.StaticReason,
	ReasonPercentage: openfeature.SplitReason,
	ReasonOverride:   openfeature.TargetingMatchReason,
}

// BooleanEvaluation is always an error: a stage is a string.
func (p *Provider) BooleanEvaluation(_ context.Context, flag string, value bool, _ openfeature.FlattenedContext) openfeature.BoolResolutionDetail {
	return openfeature.BoolResolutionDetail{Value: value, ProviderResolutionDetail: p.mismatch(flag, "a boolean")}
}

// FloatEvaluation is always an error: a stage is a string.
func (p *Provider) FloatEvaluation(_ context.Context, flag string, value float64, _ openfeature.FlattenedContext) openfeature.FloatResolutionDetail {
	return openfeature.FloatResolutionDetail{Value: value, ProviderResolutionDetail: p.mismatch(flag, "a float")}
}

// IntEvaluation is always an error: a stage is a string.
func (p *Provider) IntEvaluation(_ context.Context, flag string, value int64, _ openfeature.FlattenedContext) openfeature.IntResolutionDetail {
	return openfeature.IntResolutionDetail{Value: value, ProviderResolutionDetail: p.mismatch(flag, "an integer")}
}

// ObjectEvaluation is always an error: a stage is a string.
func (p *Provider) ObjectEvaluation(_ context.Context, flag string, value any, _ openfeature.FlattenedContext) openfeature.InterfaceResolutionDetail {
	return openfeature.InterfaceResolutionDetail{Value: value, ProviderResolutionDetail: p.mismatch(flag, "an object")}
}

// compiled returns the flag's policy, or why there is none to evaluate.
func (p *Provider) compiled(flag string) (*Compiled, *openfeature.ResolutionError) {
	f := p.set.find(flag)
	if f != nil {
		if c := f.Current(); c != nil {
			return c, nil
		}
	}
	if f != nil && f.newest() != nil || p.set.healthNow().Kind == Stale {
		e := openfeature.NewProviderNotReadyResolutionError(fmt.Sprintf("flag %s: %s", flag, staleText(p.set.healthNow().Err)))
		return nil, &e
	}
	e := openfeature.NewFlagNotFoundResolutionError(fmt.Sprintf("flag %s: no policy of a migration with this name was loaded: check the name and that the ledger has it", flag))
	return nil, &e
}

func (p *Provider) mismatch(flag, asked string) openfeature.ProviderResolutionDetail {
	if _, problem := p.compiled(flag); problem != nil {
		return failed(*problem)
	}
	return failed(openfeature.NewTypeMismatchResolutionError(fmt.Sprintf("flag %s is a stage's name, not %s: evaluate it as a string", flag, asked)))
}

func failed(e openfeature.ResolutionError) openfeature.ProviderResolutionDetail {
	return openfeature.ProviderResolutionDetail{ResolutionError: e, Reason: openfeature.ErrorReason}
}

func staleText(cause error) string {
	text := "no policy to act on: the lease ran out"
	if cause != nil {
		text += ": " + cause.Error()
	}
	return text
}

// policyKey tells two policies of one migration apart.
type policyKey struct {
	epoch int64
	id    PolicyID
}

// announcer turns what is true of a set, compared with what was announced
// before, into events; it has one goroutine.
type announcer struct {
	set      *Set
	events   chan<- openfeature.Event
	unwatch  func()
	wake     chan struct{} // one slot: something may have changed
	quit     chan struct{}
	ended    chan struct{}
	health   Change // announced last
	policies map[string]policyKey
}

func newAnnouncer(set *Set, events chan<- openfeature.Event) *announcer {
	a := &announcer{
		set: set, events: events,
		wake: make(chan struct{}, 1), quit: make(chan struct{}), ended: make(chan struct{}),
		health: Change{Kind: Fresh}, policies: map[string]policyKey{},
	}
	a.unwatch = set.Watch(func(Change) {
		select {
		case a.wake <- struct{}{}:
		default:
		}
	})
	// What is there already is announced by initialization itself.
	if h := set.healthNow(); h.Kind == Stale {
		a.health = h
	}
	for _, f := range set.Flags() {
		if c := f.newest(); c != nil {
			a.policies[f.migration] = policyKey{c.policy.Epoch, c.policy.ID}
		}
	}
	go a.loop()
	return a
}

func (a *announcer) stop() {
	a.unwatch()
	close(a.quit)
	<-a.ended
}

func (a *announcer) loop() {
	defer close(a.ended)
	for {
		var out chan<- openfeature.Event // nil never sends
		event, announced := a.pending()
		if announced != nil {
			out = a.events
		}
		select {
		case out <- event:
			announced()
		case <-a.wake: // look again: a newer event replaces the pending one
		case <-a.quit:
			return
		}
	}
}

// pending returns the next event and what to do once it was taken, or nil
// where everything is announced.
func (a *announcer) pending() (openfeature.Event, func()) {
	if h := a.set.healthNow(); h.Kind != a.health.Kind || !sameText(h.Err, a.health.Err) {
		return healthEvent(h), func() { a.health = h }
	}
	for _, f := range a.set.Flags() {
		c := f.newest()
		if c == nil {
			continue
		}
		if key := (policyKey{c.policy.Epoch, c.policy.ID}); a.policies[f.migration] != key {
			return changeEvent(f.migration, key), func() { a.policies[f.migration] = key }
		}
	}
	return openfeature.Event{}, nil
}

func sameText(a, b error) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return a.Error() == b.Error()
}

func healthEvent(h Change) openfeature.Event {
	event := openfeature.Event{ProviderName: ProviderName}
	switch h.Kind {
	case Stale:
		event.EventType = openfeature.ProviderStale
		event.Message = staleText(h.Err)
	case Failed:
		event.EventType = openfeature.ProviderError
		event.ErrorCode = openfeature.GeneralCode
		event.Message = "the ledger could not be read; the policies still hold"
		if h.Err != nil {
			event.Message += ": " + h.Err.Error()
		}
	default:
		event.EventType = openfeature.ProviderReady
		event.Message = "the policies are confirmed"
	}
	return event
}

func changeEvent(migration string, key policyKey) openfeature.Event {
	return openfeature.Event{
		ProviderName: ProviderName,
		EventType:    openfeature.ProviderConfigChange,
		ProviderEventDetails: openfeature.ProviderEventDetails{
			Message:       fmt.Sprintf("%s has the policy of epoch %d", migration, key.epoch),
			FlagChanges:   []string{migration},
			EventMetadata: map[string]any{MetadataEpoch: key.epoch, MetadataPolicyID: key.id.String()},
		},
	}
}
