package flags

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/open-feature/go-sdk/openfeature"
)

// DefaultEvaluationTimeout is how long an evaluation through an OpenFeature
// client may take when the configuration names no time.
const DefaultEvaluationTimeout = time.Second

// Client is what this package asks of an OpenFeature client;
// *openfeature.Client implements it.
type Client interface {
	StringValueDetails(ctx context.Context, flag, defaultValue string, ec openfeature.EvaluationContext, options ...openfeature.Option) (openfeature.StringEvaluationDetails, error)
	ObjectValueDetails(ctx context.Context, flag string, defaultValue any, ec openfeature.EvaluationContext, options ...openfeature.Option) (openfeature.InterfaceEvaluationDetails, error)
}

// EvaluationConfig says how to evaluate through an OpenFeature client. A nil
// config and zero fields are useful.
type EvaluationConfig struct {
	// Timeout bounds one evaluation, besides the ctx. Defaults to
	// [DefaultEvaluationTimeout].
	Timeout time.Duration
}

// Through returns a decider that evaluates the flag through a client whose
// provider is [NewProvider] of the same set, so that the client's hooks run. It
// decides what flag decides, pins and fences alike, and costs microseconds
// instead of nanoseconds. cfg may be nil.
//
// The key of an operation goes along as the attribute [AttributeKey]. Under a
// [Pin] the client is asked once for each tenant, and the policy that answered
// decides the keys of a share after that.
//
// An evaluation that fails is a [*FlagError], and so is one whose answer is not
// the policy's own: a hook that changes the tenant or the key, or an answer of
// another provider, is refused. While the policy changes during the evaluation, it is
// evaluated again, a few times.
func Through(client Client, flag *Flag, cfg *EvaluationConfig) Decider {
	return &through{evaluator: newEvaluator(client, flag.migration, cfg), flag: flag}
}

type through struct {
	*evaluator
	flag *Flag
}

var _ source = (*through)(nil)

func (t *through) Enter(ctx context.Context, s Subject) (Use, error) {
	if p := pinOf(ctx); p != nil {
		return p.enter(ctx, t.flag, t, s)
	}
	return t.decide(ctx, s)
}

func (t *through) Refused(ctx context.Context, s Subject, d Decision) error {
	return t.flag.Refused(ctx, s, d)
}

// throughAttempts is how often a policy may change under an evaluation.
const throughAttempts = 8

func (t *through) decide(ctx context.Context, s Subject) (Use, error) {
	var problem error
	for range throughAttempts {
		// The policy is in use before it is asked for, so that the process
		// never acknowledges more than the answer.
		c, err := t.flag.acquire(ctx)
		if err != nil {
			return Use{}, err
		}
		use := c.use(s)
		var again bool
		if again, problem = t.check(ctx, s, use); problem == nil {
			return use, nil
		}
		use.Done()
		if !again {
			return Use{}, problem
		}
	}
	return Use{}, problem
}

// check evaluates and compares the answer with the decision; again says that
// the policy may have changed meanwhile.
func (t *through) check(ctx context.Context, s Subject, use Use) (again bool, err error) {
	details, stage, err := t.evaluate(ctx, s)
	if err != nil {
		return details.ErrorCode == openfeature.ProviderNotReadyCode, err
	}
	fail := func(format string, args ...any) error {
		return &FlagError{Flag: t.migration, Value: details.Value, Problem: fmt.Sprintf(format, args...)}
	}
	epoch, errEpoch := details.FlagMetadata.GetInt(MetadataEpoch)
	id, errID := details.FlagMetadata.GetString(MetadataPolicyID)
	switch {
	case errEpoch != nil || errID != nil:
		return false, fail("the answer names no epoch and policy id: bind the client to flags.NewProvider, or use flags.Unguarded")
	case epoch != use.Epoch || id != use.PolicyID.String():
		return true, fail("the answer is of epoch %d (%s), this process acts on epoch %d (%s): bind the client to the provider of the same set, or try again if policies change that fast", epoch, id, use.Epoch, use.PolicyID)
	case stage != use.Stage || !sameMix(details.FlagMetadata, use.Mixed):
		return false, fail("the policy of epoch %d says %s: take out the hook that changes the answer, or what adds an attribute %q", epoch, use.Stage, AttributeKey)
	}
	return false, nil
}

// sameMix reports whether an answer's metadata name the upper rung of a
// decision, or none as the decision does.
func sameMix(metadata openfeature.FlagMetadata, mixed Stage) bool {
	name, err := metadata.GetString(MetadataMixed)
	return err != nil && mixed == 0 || err == nil && mixed.Valid() && name == mixed.String()
}

// Unguarded returns a decider that takes the stage straight from any
// OpenFeature provider: for tests, and for sides that share no database. cfg
// may be nil.
//
// What is not promised then: nobody checks that stages change by one rung, nor
// waits until all processes know of a change; two processes, or two calls one
// after the other, may act on stages that lose each other's updates. Decisions
// carry epoch 0 and [ReasonUnguarded], so that no transaction is fenced by them
// and no process acknowledges them. A provider that is to state wishes for a
// guarded migration belongs to the control plane, not here.
//
// The evaluation context holds the tenant as targeting key and nothing else, no
// key either.
// Rules per user would split a key between stages: a ctx with an OpenFeature
// transaction context that has a targeting key or attributes is refused, and
// so is a hook that changes the targeting key. Attributes that a hook or the
// client adds cannot be told from the program's own and are not refused: keep
// them the same in all processes.
//
// A missing or disabled flag, a value that is no stage's name, a provider that
// errs, panics, or does not answer in time: each is a [*FlagError], never a
// default.
func Unguarded(client Client, migration string, cfg *EvaluationConfig) Decider {
	return &unguarded{newEvaluator(client, migration, cfg)}
}

type unguarded struct{ *evaluator }

var _ source = (*unguarded)(nil)

func (u *unguarded) Enter(ctx context.Context, s Subject) (Use, error) {
	if tc := openfeature.TransactionContext(ctx); tc.TargetingKey() != "" || len(tc.Attributes()) > 0 {
		return Use{}, &FlagError{Flag: u.migration, Problem: "the ctx carries an OpenFeature transaction context, and rules per user would split a key between stages: decide by tenant alone, with a ctx without one"}
	}
	if p := pinOf(ctx); p != nil {
		return p.enter(ctx, u, u, s)
	}
	return u.decide(ctx, s)
}

func (u *unguarded) decide(ctx context.Context, s Subject) (Use, error) {
	_, stage, err := u.evaluate(ctx, Subject{Tenant: s.Tenant})
	if err != nil {
		return Use{}, err
	}
	return Use{Decision: Decision{Migration: u.migration, Stage: stage, Reason: ReasonUnguarded}}, nil
}

// Refused forgets a pinned decision: nothing else can refuse an unguarded one.
func (u *unguarded) Refused(ctx context.Context, s Subject, d Decision) error {
	if p := pinOf(ctx); p != nil {
		p.drop(u, s, d)
	}
	return nil
}

// maxHanging is how many evaluations of one decider may hang before others are
// refused at once, so that a dead provider does not fill the memory.
const maxHanging = 64

// evaluator asks an OpenFeature client for a stage, and bounds what it may do.
type evaluator struct {
	client    Client
	migration string
	timeout   time.Duration
	hanging   atomic.Int64 // evaluations that nobody waits for any more
}

func newEvaluator(client Client, migration string, cfg *EvaluationConfig) *evaluator {
	e := &evaluator{client: client, migration: migration, timeout: DefaultEvaluationTimeout}
	if cfg != nil && cfg.Timeout > 0 {
		e.timeout = cfg.Timeout
	}
	return e
}

// Migration returns the migration's name.
func (e *evaluator) Migration() string { return e.migration }

// evaluate returns the subject's stage as the client answers. Every error is a
// [*FlagError].
func (e *evaluator) evaluate(ctx context.Context, s Subject) (openfeature.StringEvaluationDetails, Stage, error) {
	var details openfeature.StringEvaluationDetails
	if s.Tenant == "" {
		return details, 0, e.problem("", "the tenant has no name, and the targeting key may not be empty: name the tenant", nil)
	}
	var err error
	if problem := e.bounded(ctx, func(ctx context.Context) {
		details, err = e.client.StringValueDetails(ctx, e.migration, "", evaluationContext(s), openfeature.WithHooks(onlySubject{subject: s}))
	}); problem != nil {
		// The evaluation may still be writing its answer: do not look at it.
		return openfeature.StringEvaluationDetails{}, 0, problem
	}
	switch {
	case err != nil && details.ErrorCode == openfeature.TypeMismatchCode:
		value, kind := e.otherType(ctx, s)
		return details, 0, e.problem(value, "the value is "+kind+": make it a string flag with "+oneOf(), err)
	case err != nil:
		return details, 0, e.problem("", remedy(details.ErrorCode), err)
	case details.Reason == openfeature.ErrorReason:
		return details, 0, e.problem(details.Value, "the provider reports an error without a code: see its log", nil)
	case details.Reason == openfeature.DisabledReason:
		return details, 0, e.problem(details.Value, "the flag is disabled, and off is no stage: enable it with "+oneOf(), nil)
	case details.Value == "":
		return details, 0, e.problem("", fmt.Sprintf("the provider gave no value (reason %q): create the flag with %s", details.Reason, oneOf()), nil)
	}
	stage, err := ParseStage(details.Value)
	if err != nil {
		return details, 0, e.problem(details.Value, "the value is no stage", err)
	}
	return details, stage, nil
}

// otherType returns the text and the type of a value that is no string.
func (e *evaluator) otherType(ctx context.Context, s Subject) (value, kind string) {
	var details openfeature.InterfaceEvaluationDetails
	var err error
	if e.bounded(ctx, func(ctx context.Context) {
		details, err = e.client.ObjectValueDetails(ctx, e.migration, nil, evaluationContext(s))
	}) != nil || err != nil || details.Value == nil {
		return "", "no string"
	}
	return shortened(details.Value), fmt.Sprintf("of type %T", details.Value)
}

// bounded runs call in a goroutine of its own, and gives up when the ctx or
// the time ends. Unless it returns nil, call may still be running.
func (e *evaluator) bounded(ctx context.Context, call func(context.Context)) error {
	if n := e.hanging.Load(); n >= maxHanging {
		return e.problem("", fmt.Sprintf("%d evaluations hang in the client's provider or hooks: restart the provider", n), nil)
	}
	if err := ctx.Err(); err != nil {
		return e.problem("", "not evaluated, as the caller's ctx has ended", err)
	}
	within, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	var ended atomic.Bool // by the call or by who waits for it, whoever is first
	result := make(chan error, 1)
	go func() {
		problem := e.problem("", "the provider or a hook ended its goroutine: repair it", nil)
		defer func() {
			if r := recover(); r != nil {
				problem = e.problem("", "the provider or a hook panicked: "+shortened(r), nil)
			}
			if !ended.CompareAndSwap(false, true) {
				e.hanging.Add(-1)
			}
			result <- problem
		}()
		call(within)
		problem = nil
	}()
	select {
	case problem := <-result:
		return problem
	case <-within.Done():
	}
	e.hanging.Add(1)
	if !ended.CompareAndSwap(false, true) { // it answered just now
		e.hanging.Add(-1)
		return <-result
	}
	if err := ctx.Err(); err != nil {
		return e.problem("", "no answer before the caller's ctx ended", err)
	}
	return e.problem("", fmt.Sprintf("no answer within %s: see to the provider, or allow more time", e.timeout), within.Err())
}

func (e *evaluator) problem(value, problem string, cause error) error {
	return &FlagError{Flag: e.migration, Value: value, Problem: problem, Cause: cause}
}

// evaluationContext names the subject to a client: the key only where there is
// one.
func evaluationContext(s Subject) openfeature.EvaluationContext {
	if s.Key == "" {
		return openfeature.NewEvaluationContext(s.Tenant, nil)
	}
	return openfeature.NewEvaluationContext(s.Tenant, map[string]any{AttributeKey: s.Key})
}

// onlySubject refuses an evaluation whose targeting key or key another hook
// changed. A key that somebody else adds where the subject has none is told
// from the answer, if it matters.
type onlySubject struct {
	openfeature.UnimplementedHook
	subject Subject
}

var (
	errOtherTenant = errors.New("a hook changed the targeting key, which is the tenant: take it out")
	errOtherKey    = errors.New("a hook changed the attribute \"key\", which is the key of the operation: take it out")
)

func (o onlySubject) Before(_ context.Context, hc openfeature.HookContext, _ openfeature.HookHints) (*openfeature.EvaluationContext, error) {
	if hc.EvaluationContext().TargetingKey() != o.subject.Tenant {
		return nil, errOtherTenant
	}
	if o.subject.Key != "" && hc.EvaluationContext().Attribute(AttributeKey) != o.subject.Key {
		return nil, errOtherKey
	}
	return nil, nil
}

func oneOf() string { return "one of " + strings.Join(stageNames[1:], ", ") + " as its value" }

// remedy says what to do about an error code of OpenFeature.
func remedy(code openfeature.ErrorCode) string {
	switch code {
	case openfeature.FlagNotFoundCode:
		return "the provider does not know it: create it with " + oneOf()
	case openfeature.ProviderNotReadyCode:
		return "the provider is not ready: wait for it with SetProviderAndWait, and see to its connection"
	case openfeature.ProviderFatalCode:
		return "the provider gave up: set it up again"
	case openfeature.ParseErrorCode:
		return "the provider cannot read the flag: repair its rules"
	case openfeature.TargetingKeyMissingCode, openfeature.InvalidContextCode:
		return "the provider does not take the tenant as targeting key: repair its rules"
	case openfeature.TypeMismatchCode:
		return "the value is no string: make it a string flag with " + oneOf()
	}
	return "the evaluation went wrong: see to the provider and the client's hooks"
}

// shortened returns a value's text, cut where it would flood a log.
func shortened(v any) string {
	text := fmt.Sprint(v)
	if len(text) > 120 {
		text = strings.ToValidUTF8(text[:120], "") + "..."
	}
	return text
}

// Wishes returns a wisher that asks a client for the migration's flag, whose
// value is the name of the wished stage. A flag that is switched off, reason
// DISABLED, is a wish for [Old]. A flag that is missing, a value that is no
// stage's name, a provider that errs, panics or does not answer in time: each
// is a [*FlagError], which means that there is no wish. cfg may be nil.
func Wishes(client Client, migration string, cfg *EvaluationConfig) Wisher {
	return wisher{newEvaluator(client, migration, cfg)}
}

type wisher struct{ *evaluator }

// Wish implements [Wisher].
func (w wisher) Wish(ctx context.Context, tenant string) (Stage, error) {
	details, stage, err := w.evaluate(ctx, Subject{Tenant: tenant})
	problem, failed := errors.AsType[*FlagError](err)
	if failed && problem.Cause == nil && details.Reason == openfeature.DisabledReason {
		return Old, nil // switched off; with a cause, something went wrong besides
	}
	return stage, err
}
