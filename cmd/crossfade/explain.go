package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// checkAbout refuses what makes no sense beside --tenant and --key.
func checkAbout(about flags.Subject, given, watch bool, args []string) error {
	switch {
	case given && about.Tenant == "":
		return usagef("a tenant's name is empty")
	case about.Tenant == "" && about.Key != "":
		return usagef("--key is one of a tenant: name --tenant, %q where the application has none", "default")
	case about.Tenant != "" && len(args) == 0:
		return usagef("--tenant needs a migration: crossfade status MIGRATION --tenant %q", about.Tenant)
	case about.Tenant != "" && watch:
		return usagef("--tenant and --watch cannot go together")
	}
	return nil
}

// explanation is where a tenant, or one of its keys, stands, and why.
type explanation struct {
	Migration string      `json:"migration"`
	Epoch     int64       `json:"epoch"`
	Tenant    string      `json:"tenant"`
	Key       string      `json:"key,omitempty"`
	Stage     flags.Stage `json:"stage"`
	// Mixed is the upper rung where keys of the tenant stand at two; operations
	// of several keys go by Stage.
	Mixed  string       `json:"mixed,omitempty"`
	Reason flags.Reason `json:"reason"`
	// Bucket is that of the tenant, or of the key under a share of keys.
	Bucket int         `json:"bucket"`
	Known  bool        `json:"known"`
	State  fact        `json:"state"`
	Stale  []staleJSON `json:"stale_keys"`

	policy flags.Policy
}

// explain shows where one tenant stands.
func (a *app) explain(ctx context.Context, store *ledger.Store, migration string, about flags.Subject) error {
	state, err := store.Load(ctx, migration)
	if err != nil {
		return err
	}
	e, err := explanationOf(state, about)
	if err != nil {
		return err
	}
	if a.json {
		return a.document(e)
	}
	a.printf("%s", e.text())
	return nil
}

func explanationOf(state *ledger.State, about flags.Subject) (*explanation, error) {
	policy := state.Current().Policy
	compiled, err := policy.Compile()
	if err != nil {
		return nil, err
	}
	e := &explanation{
		Migration: policy.Migration, Epoch: policy.Epoch, Tenant: about.Tenant, Key: about.Key, Bucket: compiled.Bucket(about.Tenant),
		Known: knownTenants(state)[about.Tenant], State: factOf(state.Tenant(about.Tenant)), Stale: []staleJSON{}, policy: policy,
	}
	e.Stage, e.Reason = compiled.KeyStage(about.Tenant, about.Key)
	if low, high := compiled.Range(about.Tenant); about.Key == "" && low != high {
		e.Mixed = high.String()
	}
	if about.Key != "" && policy.Step.Of == flags.OfKeys && policy.Step.Share > 0 {
		e.Bucket = compiled.KeyBucket(about.Tenant, about.Key)
	}
	for _, c := range state.Stale {
		if c.Tenant == about.Tenant {
			e.Stale = append(e.Stale, staleJSON{
				Side: c.Side.String(), Keys: c.Keys, Failing: c.Failing, Tenants: 1, Oldest: c.Oldest, Age: state.At.Sub(c.Oldest).Seconds(),
			})
		}
	}
	return e, nil
}

func (e *explanation) text() string {
	var w strings.Builder
	who := "tenant " + quoted(e.Tenant)
	if e.Key != "" {
		who = "key " + quoted(e.Key) + " of " + who
	}
	at := e.Stage.String()
	if e.Mixed != "" {
		at += " and " + e.Mixed + ", by key"
	}
	fmt.Fprintf(&w, "%s   epoch %d\n\n%s stands at %s: %s\n", e.Migration, e.Epoch, who, at, e.why())
	if !e.Known {
		fmt.Fprintf(&w, "%-11s the ledger does not know the tenant by name: what holds for all others holds for it\n", "")
	}
	var data []string
	for _, f := range []struct {
		holds    bool
		yes, not string
	}{
		{e.State.Backfilled, "backfilled", "not backfilled"},
		{e.State.Verified, "verified", "not verified"},
		{e.State.OldComplete, "the old side holds every key", "the old side missed writes at new"},
	} {
		data = append(data, map[bool]string{true: f.yes, false: f.not}[f.holds])
	}
	fmt.Fprintf(&w, "%-11s %s\n", "Data", strings.Join(data, ", "))
	if len(e.Stale) == 0 {
		fmt.Fprintf(&w, "%-11s none\n", "Stale keys")
	}
	for _, s := range e.Stale {
		fmt.Fprintf(&w, "%-11s %s side: %s, %d of them cannot be copied\n", "Stale keys", s.Side, plural(s.Keys, "key"), s.Failing)
	}
	return w.String()
}

// why says what put the subject where it stands.
func (e *explanation) why() string {
	step := e.policy.Step
	inStep := "not below"
	if e.Bucket < int(step.Share) {
		inStep = "below"
	}
	switch {
	case e.Reason == flags.ReasonOverride:
		return "it is pinned there"
	case step.Share == 0:
		return "it is the default"
	case step.Share == flags.Buckets:
		return "everybody whom no pin names does"
	case step.Of == flags.OfTenants:
		return fmt.Sprintf("its bucket is %d of 10,000, %s the %d of %s at %s", e.Bucket, inStep, int(step.Share), step.Share, step.To)
	case e.Key == "":
		return stepText(&stepJSON{To: step.To, Percent: percent(step.Share), Of: step.Of.String()}, e.policy.Default)
	}
	return fmt.Sprintf("its bucket is %d of 10,000, %s the %d of %s of each tenant's keys at %s; operations that name further keys go by %s",
		e.Bucket, inStep, int(step.Share), step.Share, step.To, min(step.To, e.policy.Default))
}
