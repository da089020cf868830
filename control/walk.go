package control

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// Walk is a way over several rungs that somebody asks for.
type Walk struct {
	Migration string
	// To is the rung at which the walk ends.
	To flags.Stage
	// Tenants walk by overrides of their own. None means everybody whom no
	// override names.
	Tenants []string
	// Everybody has those walk down, too, who stand above To by an override.
	Everybody bool
	Actor     string
	Reason    string
	// Report is told how each step goes on, and Step what became of it; both
	// may be nil and must not block.
	Report func(Progress)
	Step   func(Result)
}

// Walk goes rung by rung to a stage, as fast as the rules allow: it waits for
// the fleet after each step. The steps done so far stay done and are returned.
//
// Down to old it needs nobody's help while the old side is complete: it waits
// for whatever goes away by itself (sessions that are drained, leases that run
// out, stale keys of the old side that are repaired, a reverse backfill under
// way), and goes on where somebody else changes the policy meanwhile, also when
// that was a step up, and reports it. Whom a rule stops that waiting does not
// satisfy it leaves behind by name, at the stage where it stands, and returns
// the [*StepError] when the others have arrived: [StepError.Left]. ctx ends it.
//
// A walk up ends with a [*StepError] at a rule that waiting for the fleet does
// not satisfy, and with a [*ConflictError] at another person's change.
func (p *Plane) Walk(ctx context.Context, w Walk) ([]Result, error) {
	if !w.To.Valid() {
		return nil, fmt.Errorf("%s: name the stage to walk to: %w", w.Migration, &flags.UnknownStageError{Name: w.To.String()})
	}
	m, err := p.store.Migration(ctx, w.Migration)
	if err != nil {
		return nil, err
	}
	walk := &walking{Walk: w, plane: p, migration: m, stuck: map[string]string{}, noted: map[string]bool{}}
	for more := true; more; {
		if more, err = walk.rung(ctx); err != nil {
			return walk.done, walk.ended(err)
		}
	}
	if err = walk.settle(ctx); err == nil {
		_, err = p.keep(ctx, m, w.Report)
	}
	return walk.done, walk.ended(err)
}

// walking is one call of Walk.
type walking struct {
	Walk
	plane     *Plane
	migration ledger.Migration
	done      []Result
	told      int    // how many of them Step was told
	last      int64  // the epoch looked at last, of the walk's own step or another's
	down      bool   // somebody who walks stands above its end
	blocked   string // what was reported last to be waited for
	// Who cannot go on, and why: the others do, and in the end the walk tells.
	stuck   map[string]string // "" is everybody without an override
	noted   map[string]bool   // of whom the history says so
	refused *StepError
}

// ended adds why some were left behind to how the walk ended.
func (w *walking) ended(err error) error {
	switch {
	case w.refused == nil:
		return err
	case len(w.done) > 0 && w.stuck[""] == "":
		w.refused.Left = slices.Sorted(maps.Keys(w.stuck))
	}
	if err == nil {
		return w.refused
	}
	return errors.Join(err, w.refused)
}

// rung takes one step, or waits. It reports false at the end of the walk.
func (w *walking) rung(ctx context.Context) (more bool, err error) {
	policy, err := w.plane.store.Policy(ctx, w.Migration)
	if err != nil {
		return false, err
	}
	w.down = w.down || w.descends(policy)
	if !w.down { // a step down is tried at once: the last step up can be undone while it is under way
		if err := w.settle(ctx); err != nil {
			return false, err
		}
		if policy, err = w.plane.store.Policy(ctx, w.Migration); err != nil {
			return false, err
		}
	}
	if err := w.overtaken(ctx, policy); err != nil {
		return false, err
	}
	change, more, err := w.next(policy)
	if err != nil || !more {
		return false, err
	}
	if err := change.validate(); err != nil {
		return false, err
	}
	step, err := w.plane.apply(ctx, &change, w.migration, policy.Epoch)
	if err == nil && step.Changed {
		w.tellSteps()
		w.done, w.last, w.blocked = append(w.done, step), step.After.Epoch, ""
		for tenant := range change.left {
			w.noted[tenant] = true
		}
	}
	return true, w.forgive(ctx, &change, err)
}

// settle waits for the step before. What the keeper would publish waits for the
// end of the walk: it would be one more policy to wait for.
func (w *walking) settle(ctx context.Context) error {
	s := w.plane.settling(w.migration, w.Report)
	err := s.wait(ctx)
	s.result.Settled = err == nil
	if n := len(w.done); n > w.told {
		w.done[n-1].Settlement = s.result
	}
	if err == nil {
		s.tell(Progress{Kind: Settled})
		w.tellSteps()
	}
	return err
}

// tellSteps tells the steps that were not told yet.
func (w *walking) tellSteps() {
	for ; w.told < len(w.done); w.told++ {
		if w.Step != nil {
			w.Step(w.done[w.told])
		}
	}
}

// overtaken tells what others changed since the policy that the walk looked at
// last: a walk down goes on from there.
func (w *walking) overtaken(ctx context.Context, policy flags.Policy) error {
	since := w.last
	w.last = policy.Epoch
	if since == 0 || since == policy.Epoch || !w.down {
		return nil
	}
	entries, err := w.plane.store.History(ctx, w.Migration, ledger.HistoryFilter{})
	if err != nil {
		return err
	}
	for _, e := range slices.Backward(entries) {
		if since < e.Epoch && e.Epoch <= policy.Epoch && changesPolicy(e.Kind) {
			tell(w.Report, Progress{Migration: w.Migration, Kind: Overtaken, Epoch: e.Epoch, Other: &e})
		}
	}
	return nil
}

func changesPolicy(kind string) bool {
	return slices.Contains([]ChangeKind{SetDefault, SetPercentage, SetTenants, SetEach, Unpin}, ChangeKind(kind))
}

// descends reports whether anybody who walks stands above the walk's end.
func (w *walking) descends(p flags.Policy) bool {
	if len(w.Tenants) == 0 {
		return p.Default > w.To || p.Step.Share > 0 && p.Step.To > w.To || w.Everybody && w.anyAbove(p)
	}
	compiled, err := p.Compile()
	return err == nil && slices.ContainsFunc(w.Tenants, func(tenant string) bool {
		_, high := compiled.Range(tenant)
		return high > w.To
	})
}

// forgive returns nil for an error that waiting, or looking again, puts right,
// and waits for that; and on the way down for one that others can pass by.
func (w *walking) forgive(ctx context.Context, c *Change, err error) error {
	var conflict *ConflictError
	var refused *StepError
	switch {
	case err == nil, errors.As(err, &conflict) && w.down:
		return nil
	case !errors.As(err, &refused):
		return err
	case refused.Passes():
		w.tellBlocked(refused)
		if err := w.settle(ctx); err != nil {
			return errors.Join(err, refused)
		}
	case !w.down:
		return err
	case !refused.Mends():
		return w.passBy(c, refused)
	default:
		w.tellBlocked(refused)
	}
	if err := pause(ctx, w.plane.cfg.Poll); err != nil {
		return errors.Join(err, refused)
	}
	return nil
}

func (w *walking) tellBlocked(refused *StepError) {
	if text := refused.Error(); text != w.blocked {
		w.blocked = text
		tell(w.Report, Progress{Migration: w.Migration, Kind: Blocked, Blocks: refused.Blocks, Text: text})
	}
}

// passBy leaves behind who cannot go on, so that the others can.
func (w *walking) passBy(c *Change, refused *StepError) error {
	left := against(refused.Blocks, func(b *Block) bool { return b.Mends || b.Kind.Passes() })
	switch everybody := left[""]; {
	case c.Kind == SetTenants:
		delete(left, "")
	case everybody != "":
		left = map[string]string{"": everybody}
	}
	anew := false
	for tenant, why := range left {
		anew = anew || w.stuck[tenant] == ""
		w.stuck[tenant] = why
	}
	if !anew {
		return refused // nobody to leave behind
	}
	if w.refused == nil {
		w.refused = &StepError{Migration: w.Migration}
	}
	w.refused.Blocks = append(w.refused.Blocks, refused.Blocks...)
	tell(w.Report, Progress{Migration: w.Migration, Kind: LeftBehind, Blocks: refused.Blocks, Text: refused.Error()})
	return nil
}

// unnoted returns whom the history does not yet say to be left behind.
func (w *walking) unnoted() map[string]string {
	left := maps.Clone(w.stuck)
	maps.DeleteFunc(left, func(tenant, _ string) bool { return w.noted[tenant] })
	return left
}

// leaving makes a step of everybody one that leaves those behind who are stuck.
func (w *walking) leaving(c Change, policy flags.Policy) (Change, bool, error) {
	if len(w.stuck) == 0 {
		return c, true, nil
	}
	each := c
	if each.Kind == SetPercentage {
		each.To = policy.Default
	}
	each.Kind, each.Targets = SetEach, map[string]flags.Stage{}
	if err := each.spare(policy, w.stuck); err != nil {
		return c, false, err
	}
	if !each.To.Valid() { // somebody stands at two rungs
		w.stuck[""] = "who cannot go on stands at two rungs, by a share of the keys: nobody can be left there alone"
		return w.next(policy)
	}
	return each, true, nil
}

// above returns who stands above the walk's end by an override, and the highest
// of their stages.
func (w *walking) above(p flags.Policy) (tenants []string, highest flags.Stage) {
	for tenant, stage := range p.Overrides {
		if stage > w.To && w.stuck[tenant] == "" {
			tenants, highest = append(tenants, tenant), max(highest, stage)
		}
	}
	slices.Sort(tenants)
	return tenants, highest
}

// next returns the next step of the walk, and false at its end.
func (w *walking) next(policy flags.Policy) (Change, bool, error) {
	c := Change{
		Migration: w.Migration, Actor: w.Actor, Reason: w.Reason, ExpectEpoch: policy.Epoch, Report: w.Report,
		behalf: behalf{left: w.unnoted()},
	}
	if len(w.Tenants) > 0 {
		return w.nextTenants(c, policy, slices.DeleteFunc(slices.Clone(w.Tenants), func(t string) bool { return w.stuck[t] != "" }))
	}
	if w.Everybody {
		above, highest := w.above(policy)
		top := policy.Default
		if policy.Step.Share > 0 {
			top = max(top, policy.Step.To)
		}
		if len(above) > 0 && (highest >= top || w.stuck[""] != "" || top <= w.To) {
			return w.nextTenants(c, policy, above)
		}
	}
	if w.stuck[""] != "" {
		return c, false, nil
	}
	step := policy.Step
	switch {
	case step.Share > 0 && distance(step.To, w.To) < distance(policy.Default, w.To):
		c.Kind, c.To = SetDefault, step.To // who is not yet in the step follows
	case step.Share > 0:
		c.Kind = SetPercentage // who is in the step comes back
	case policy.Default == w.To:
		return c, false, nil
	default:
		c.Kind, c.To = SetDefault, policy.Default.Toward(w.To)
	}
	return w.leaving(c, policy)
}

// nextTenants moves those tenants that have the longest way by one rung.
func (w *walking) nextTenants(c Change, policy flags.Policy, tenants []string) (Change, bool, error) {
	compiled, err := policy.Compile()
	if err != nil {
		return c, false, err
	}
	c.Kind = SetTenants
	farthest := 0
	for _, tenant := range tenants {
		_, reason := compiled.Stage(tenant)
		stage, high := compiled.Range(tenant)
		if distance(high, w.To) > distance(stage, w.To) {
			stage = high // a share of its keys has the longer way
		}
		d := distance(stage, w.To)
		if d == 0 && reason == flags.ReasonOverride || d < farthest {
			continue
		}
		if d > farthest || stage.Toward(w.To) != c.To {
			if d == farthest && c.To.Valid() {
				continue // as far, but from the other side
			}
			farthest, c.To, c.Tenants = d, stage.Toward(w.To), nil
		}
		c.Tenants = append(c.Tenants, tenant)
	}
	return c, len(c.Tenants) > 0, nil
}

func distance(a, b flags.Stage) int {
	if a > b {
		return int(a - b)
	}
	return int(b - a)
}

func (w *walking) anyAbove(p flags.Policy) bool {
	tenants, _ := w.above(p)
	return len(tenants) > 0
}
