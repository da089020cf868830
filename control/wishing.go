package control

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// WishSource is where the wishes of one migration come from.
type WishSource struct {
	Migration string
	// Wisher reads the wish of a tenant, such as flags.Wishes.
	Wisher flags.Wisher
	// Tenants yields the application's tenants, one by one.
	Tenants func(ctx context.Context) iter.Seq2[string, error]
	// Every is the time between two looks. Defaults to 10 seconds.
	Every time.Duration
}

func (w *WishSource) check() error {
	if w.Migration == "" || w.Wisher == nil || w.Tenants == nil {
		return &ledger.InputError{Operation: "walk wishes", Problem: "name the migration, the wisher and the tenants"}
	}
	if w.Every <= 0 {
		w.Every = 10 * time.Second
	}
	return nil
}

// givenUp is after how many failures in a row the rest of a look is given up:
// a provider that is away would otherwise be asked for every tenant.
const givenUp = 50

// wished is what one look at the wishes found.
type wished struct {
	stages  map[string]flags.Stage
	without int64
	problem string // the first
}

func (w *WishSource) look(ctx context.Context) (wished, error) {
	found := wished{stages: map[string]flags.Stage{}}
	failures := 0
	for tenant, err := range w.Tenants(ctx) {
		if err != nil {
			return found, fmt.Errorf("list the tenants: %w", err)
		}
		stage, err := w.Wisher.Wish(ctx, tenant)
		if err == nil && !stage.Valid() {
			err = &flags.UnknownStageError{Name: stage.String()}
		}
		if err == nil {
			found.stages[tenant] = stage
			failures = 0
			continue
		}
		if ctx.Err() != nil {
			return found, ctx.Err()
		}
		found.without++
		if found.problem == "" {
			found.problem = fmt.Sprintf("tenant %q: %v", tenant, err)
		}
		if failures++; failures >= givenUp {
			found.problem += fmt.Sprintf("; the look was given up after %d failures in a row", failures)
			break
		}
	}
	return found, nil
}

// wishes walks all tenants of a source by one rung towards their wishes, in
// one epoch. Whom a rule holds is left out, with the reason.
func (c *Controller) wishes(ctx context.Context, d ledger.Duty, w *WishSource) error {
	found, err := w.look(ctx)
	if err != nil {
		return fmt.Errorf("%s: read the wishes: %w", w.Migration, err)
	}
	state, err := c.store.Load(ctx, w.Migration)
	if err != nil {
		return err
	}
	targets, err := towards(state.Current().Policy, found.stages)
	if err != nil {
		return err
	}
	look := ledger.WishLook{
		Tenants: int64(len(found.stages)) + found.without, Without: found.without, Problem: found.problem,
		Walking: int64(len(targets)), Arrived: int64(len(found.stages) - len(targets)),
	}
	held, err := c.grant(ctx, d, state, targets)
	if err == nil && len(targets) == 0 && found.without == 0 {
		err = c.dropOverrides(ctx, d, state.Current().Policy, found.stages)
	}
	compiled, cerr := state.Current().Compile()
	if err != nil || cerr != nil {
		return errors.Join(err, cerr)
	}
	for _, tenant := range slices.Sorted(maps.Keys(targets)) {
		stage, _ := compiled.Stage(tenant)
		look.Waiting = append(look.Waiting, ledger.Wish{Tenant: tenant, Stage: stage, Wish: found.stages[tenant], WaitingFor: held[tenant]})
	}
	// Those who are held come first: they are what somebody must see to.
	slices.SortStableFunc(look.Waiting, func(a, b ledger.Wish) int {
		return min(len(b.WaitingFor), 1) - min(len(a.WaitingFor), 1)
	})
	return c.store.NoteLook(ctx, d, state.Migration, look)
}

// towards returns the next rung of everybody who does not stand at his wish.
func towards(p flags.Policy, wishes map[string]flags.Stage) (map[string]flags.Stage, error) {
	compiled, err := p.Compile()
	if err != nil {
		return nil, err
	}
	targets := map[string]flags.Stage{}
	for tenant, wish := range wishes {
		low, high := compiled.Range(tenant)
		switch {
		case low == high && low != wish:
			targets[tenant] = low.Toward(wish)
		case low != high: // a share of its keys: all go to the rung that is nearer
			targets[tenant] = min(max(wish, low), high)
		}
	}
	return targets, nil
}

// grant moves those whom no rule holds, and returns why the others are held.
func (c *Controller) grant(ctx context.Context, d ledger.Duty, state *State, targets map[string]flags.Stage) (held map[string]string, err error) {
	held = map[string]string{}
	left := maps.Clone(targets)
	var blocks []Block
	for len(left) > 0 {
		_, err := c.plane.Apply(ctx, Change{
			Migration: state.Migration.Name, Kind: SetEach, Targets: left, Actor: keeperActor, Reason: "as wished", NoWait: true,
			ExpectEpoch: state.Migration.Epoch, behalf: behalf{kind: ledger.KindWish, duty: &d},
		})
		var refused *StepError
		if !errors.As(err, &refused) {
			var conflict *ConflictError
			if errors.As(err, &conflict) { // the next look begins with the other's policy
				err = nil
			}
			if err != nil {
				return held, err
			}
			break
		}
		blocks = append(blocks, refused.Blocks...)
		before := len(left)
		for _, b := range refused.Blocks {
			for _, tenant := range b.Tenants {
				held[tenant] = both(held[tenant], b.Text)
				delete(left, tenant)
			}
		}
		if len(left) == before { // what speaks against it names nobody: it holds all
			for tenant := range left {
				held[tenant] = refused.Error()
			}
			break
		}
	}
	if len(blocks) > 0 {
		_, err = c.helped(ctx, d, state, blocks, "as wished")
	}
	return held, err
}

func both(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}

// dropOverrides takes the overrides away that say what default and percentage
// say as well, so that they do not grow for ever.
func (c *Controller) dropOverrides(ctx context.Context, d ledger.Duty, p flags.Policy, wishes map[string]flags.Stage) error {
	bare := p
	bare.Overrides = nil
	compiled, err := bare.Compile()
	if err != nil {
		return err
	}
	drop := map[string]flags.Stage{}
	for tenant, stage := range p.Overrides {
		low, high := compiled.Range(tenant)
		if _, looked := wishes[tenant]; looked && low == stage && high == stage {
			drop[tenant] = 0
		}
	}
	if len(drop) == 0 {
		return nil
	}
	_, err = c.plane.Apply(ctx, Change{
		Migration: p.Migration, Kind: SetEach, Targets: drop, Actor: keeperActor, Reason: "arrived where default and percentage lead",
		NoWait: true, ExpectEpoch: p.Epoch, behalf: behalf{kind: ledger.KindWish, duty: &d},
	})
	var conflict *ConflictError
	if errors.As(err, &conflict) {
		return nil
	}
	return err
}
