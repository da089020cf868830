package main

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/crossfade-db/crossfade/compare"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// report is what status says of a migration.
type report struct {
	Name        string         `json:"name"`
	Entity      string         `json:"entity"`
	From        string         `json:"from"`
	To          string         `json:"to"`
	At          time.Time      `json:"at"`
	Policy      policyJSON     `json:"policy"`
	Since       time.Time      `json:"in_force_since"`
	Stages      []rung         `json:"stages"` // from new down to old
	Settled     bool           `json:"settled"`
	Outstanding []epochJSON    `json:"outstanding"`
	Up          *nextStep      `json:"up,omitempty"`
	Down        *nextStep      `json:"down,omitempty"`
	Tenants     tenantsJSON    `json:"tenants"`
	Processes   []processJSON  `json:"processes"`
	Stale       []staleJSON    `json:"stale_keys"`
	Mismatches  mismatchesJSON `json:"mismatches"`
	Comparisons *comparisons   `json:"comparisons,omitempty"`
	Jobs        []jobJSON      `json:"jobs"`
	Guard       *guardJSON     `json:"guard,omitempty"`
	// RowVersions are the entity's tables whose rows carry the version that wrote them.
	RowVersions []rowVersionsJSON `json:"row_versions,omitempty"`
	// PassedNoReturn says that the old side of some tenants missed writes at new.
	PassedNoReturn bool `json:"old_side_incomplete"`

	state *ledger.State
}

// rung is one stage and who stands there.
type rung struct {
	Stage   flags.Stage `json:"stage"`
	Percent float64     `json:"percent"` // of the tenants whom no pin names, or of the keys of each of them
	Known   int         `json:"known"`   // tenants known by name, pinned ones included; at both rungs those whose keys are
	Pinned  int         `json:"pinned"`
}

type epochJSON struct {
	Epoch        int64 `json:"epoch"`
	Drained      bool  `json:"drained"`
	Acknowledged bool  `json:"acknowledged"`
}

type tenantsJSON struct {
	Known int `json:"known"`
	// Of the known ones; the others are as Whole says.
	Backfilled    int  `json:"backfilled"`
	Verified      int  `json:"verified"`
	OldIncomplete int  `json:"old_incomplete"`
	Whole         fact `json:"others"`
}

type fact struct {
	Backfilled  bool `json:"backfilled"`
	Verified    bool `json:"verified"`
	OldComplete bool `json:"old_complete"`
}

type staleJSON struct {
	Side    string    `json:"side"`
	Keys    int64     `json:"keys"`
	Failing int64     `json:"failing"`
	Tenants int       `json:"tenants"`
	Oldest  time.Time `json:"oldest"`
	Age     float64   `json:"oldest_age_seconds"`
	Reasons []reason  `json:"reasons,omitempty"`
}

// reason is why keys could not be copied.
type reason struct {
	Text string `json:"text"`
	Keys int    `json:"keys"`
}

type mismatchesJSON struct {
	Open   int             `json:"open"`
	More   bool            `json:"more,omitempty"` // there are more than were counted
	Count  int64           `json:"seen"`
	Fields []fieldMismatch `json:"fields"`
}

type fieldMismatch struct {
	Operation string `json:"operation"`
	Field     string `json:"field"`
	Open      int    `json:"open"`
	Count     int64  `json:"seen"`
}

// lookAt looks at one migration.
func lookAt(ctx context.Context, store *ledger.Store, name string, count bool) (report, error) {
	state, err := store.Load(ctx, name)
	if err != nil {
		return report{}, err
	}
	m, current := state.Migration, state.Current()
	r := report{
		Name: m.Name, Entity: m.Entity, From: m.From, To: m.To, At: state.At, Policy: toPolicy(current.Policy, true),
		Since: current.CreatedAt, Tenants: tenantsOf(state), Up: nextUp(state), Down: nextDown(state), state: state,
		Processes: append([]processJSON{}, toProcesses(state.Processes, current.Epoch)...), Outstanding: []epochJSON{},
	}
	if r.Stages, err = rungsOf(state); err != nil {
		return r, err
	}
	r.Settled = !slices.ContainsFunc(state.Processes, func(p ledger.Process) bool { return !acknowledged(p, current.Epoch) })
	for _, p := range state.Outstanding() {
		r.Outstanding = append(r.Outstanding, epochJSON{p.Epoch, p.DrainedAt != nil, p.AcknowledgedAt != nil})
		r.Settled = r.Settled && p.DrainedAt != nil && p.AcknowledgedAt != nil
	}
	r.PassedNoReturn = r.Tenants.OldIncomplete > 0 || !state.Whole.OldComplete
	if r.Stale, err = staleOf(ctx, store, state); err != nil {
		return r, err
	}
	if r.Mismatches, err = mismatchesOf(ctx, store, name); err != nil {
		return r, err
	}
	if r.Comparisons, err = comparisonsOf(ctx, store, state); err != nil {
		return r, err
	}
	if r.Guard, err = guardOf(ctx, store, state); err != nil {
		return r, err
	}
	if r.RowVersions, err = rowVersionsOf(ctx, store, m.Entity, count); err != nil {
		return r, err
	}
	r.Jobs, err = recentJobs(ctx, store, name)
	return r, err
}

// rungsOf counts who stands where, from new down to old.
func rungsOf(state *ledger.State) ([]rung, error) {
	policy := state.Current().Policy
	compiled, err := policy.Compile()
	if err != nil {
		return nil, err
	}
	at := map[flags.Stage]*rung{}
	var rungs []rung
	for _, stage := range slices.Backward(flags.Stages()) {
		rungs = append(rungs, rung{Stage: stage})
	}
	for i := range rungs {
		at[rungs[i].Stage] = &rungs[i]
	}
	at[policy.Default].Percent = percent(flags.Buckets - policy.Step.Share)
	if policy.Step.Share > 0 {
		at[policy.Step.To].Percent = percent(policy.Step.Share)
	}
	for tenant := range knownTenants(state) {
		stage, reason := compiled.Stage(tenant)
		at[stage].Known++
		if _, high := compiled.Range(tenant); high != stage {
			at[high].Known++
		}
		if reason == flags.ReasonOverride {
			at[stage].Pinned++
		}
	}
	return rungs, nil
}

func tenantsOf(state *ledger.State) tenantsJSON {
	t := tenantsJSON{Whole: factOf(state.Whole)}
	for name := range knownTenants(state) {
		f := factOf(state.Tenant(name))
		t.Known++
		if f.Backfilled {
			t.Backfilled++
		}
		if f.Verified {
			t.Verified++
		}
		if !f.OldComplete {
			t.OldIncomplete++
		}
	}
	return t
}

func factOf(s ledger.TenantState) fact {
	return fact{
		Backfilled: s.BackfilledAt != nil, OldComplete: s.OldComplete,
		Verified: s.VerifiedAt != nil && (s.BackfilledAt == nil || !s.VerifiedAt.Before(*s.BackfilledAt)),
	}
}

// staleOf sums the stale keys up by side.
func staleOf(ctx context.Context, store *ledger.Store, state *ledger.State) ([]staleJSON, error) {
	sides := []staleJSON{}
	for _, side := range []flags.Side{flags.OldSide, flags.NewSide} {
		s := staleJSON{Side: side.String()}
		for _, c := range state.Stale {
			if c.Side != side {
				continue
			}
			s.Keys, s.Failing, s.Tenants = s.Keys+c.Keys, s.Failing+c.Failing, s.Tenants+1
			if s.Oldest.IsZero() || c.Oldest.Before(s.Oldest) {
				s.Oldest = c.Oldest
			}
		}
		if s.Keys == 0 {
			continue
		}
		s.Age = state.At.Sub(s.Oldest).Seconds()
		if s.Failing > 0 {
			var err error
			if s.Reasons, err = reasonsOf(ctx, store, state.Migration.Name, side); err != nil {
				return nil, err
			}
		}
		sides = append(sides, s)
	}
	return sides, nil
}

// lookedAt bounds how many rows status reads to count by reason or field.
const lookedAt = 2000

// reasonsOf counts, among the oldest stale keys of a side, why they could not be copied.
func reasonsOf(ctx context.Context, store *ledger.Store, migration string, side flags.Side) ([]reason, error) {
	keys, err := store.StaleKeys(ctx, migration, ledger.StaleFilter{Limit: lookedAt})
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	for _, k := range keys {
		if k.Side == side && k.LastError != "" {
			counts[k.LastError]++
		}
	}
	var reasons []reason
	for _, text := range slices.Sorted(maps.Keys(counts)) {
		reasons = append(reasons, reason{text, counts[text]})
	}
	slices.SortStableFunc(reasons, func(a, b reason) int { return cmp.Compare(b.Keys, a.Keys) })
	return reasons[:min(len(reasons), 5)], nil
}

// mismatchesOf counts the open mismatches by operation and field.
func mismatchesOf(ctx context.Context, store *ledger.Store, migration string) (mismatchesJSON, error) {
	all, err := store.Mismatches(ctx, migration, ledger.MismatchFilter{Limit: lookedAt})
	if err != nil {
		return mismatchesJSON{}, err
	}
	out := mismatchesJSON{More: len(all) == lookedAt, Fields: []fieldMismatch{}}
	at := map[[2]string]int{}
	for _, m := range all {
		out.Count += m.Count
		key := [2]string{m.Operation, compare.Pattern(m.Field)}
		i, ok := at[key]
		if !ok {
			i = len(out.Fields)
			at[key] = i
			out.Fields = append(out.Fields, fieldMismatch{Operation: key[0], Field: key[1]})
		}
		out.Fields[i].Count += m.Count
		if m.Kind != ledger.OverflowKind {
			out.Open++
			out.Fields[i].Open++
		}
	}
	slices.SortStableFunc(out.Fields, func(a, b fieldMismatch) int { return cmp.Compare(b.Count, a.Count) })
	return out, nil
}
