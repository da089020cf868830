package control

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/crossfade-db/crossfade/flags"
)

// against says of each tenant why it cannot take a step, by name; "" stands for
// everybody whom no override names. Blocks that waits says yes to are left out.
func against(blocks []Block, waits func(*Block) bool) map[string]string {
	why := map[string]string{}
	add := func(tenant, text string) {
		if why[tenant] != "" {
			text = why[tenant] + "; " + text
		}
		why[tenant] = text
	}
	for i := range blocks {
		b := &blocks[i]
		if waits(b) {
			continue
		}
		if b.Others || len(b.Tenants) == 0 {
			add("", b.Text)
		}
		for _, tenant := range b.Tenants {
			add(tenant, b.Text)
		}
	}
	return why
}

// spare keeps tenants where they stand, in a change of kind SetEach: it names
// those by an override whom the step of everybody would take along. Who stands
// at two rungs, by a share of the keys, cannot be named so without moving up:
// nobody takes the step of everybody then, as where left has a reason for "".
func (c *Change) spare(p flags.Policy, left map[string]string) error {
	compiled, err := p.Compile()
	if err != nil {
		return err
	}
	taken := func(tenant string) bool {
		_, named := p.Overrides[tenant]
		return tenant != "" && !named && c.To.Valid()
	}
	if left[""] != "" {
		c.To = 0
	}
	for tenant := range left {
		if low, high := compiled.Range(tenant); taken(tenant) && low != high {
			c.To = 0
		}
	}
	for tenant := range left {
		stage, _ := compiled.Stage(tenant)
		switch {
		case taken(tenant) && stage != c.To:
			c.Targets[tenant] = stage
		default:
			delete(c.Targets, tenant)
		}
	}
	return nil
}

// leftBehind is what the history says of a tenant that a step leaves behind.
func (c *Change) leftBehind(tenant string) string {
	text, asked := "left behind: "+c.left[tenant], c.Reason
	if own := c.reasons[tenant]; own != "" {
		asked = own
	}
	if asked != "" {
		text += fmt.Sprintf(" (%s)", asked)
	}
	return text
}

// enterLeft enters those into the history whom the step leaves behind without
// naming them by a new override.
func (c *Change) enterLeft(current flags.Policy, entered func(tenant string) bool, add func(tenant, from, to string)) error {
	if len(c.left) == 0 {
		return nil
	}
	compiled, err := current.Compile()
	if err != nil {
		return err
	}
	for _, tenant := range slices.Sorted(maps.Keys(c.left)) {
		at := describe(current)
		if tenant != "" {
			at = placed(compiled, tenant)
		}
		if !entered(tenant) {
			add(tenant, at, at+", left behind")
		}
	}
	return nil
}

// applyLeaving makes a step down of kind SetEach without those of whom a rule
// refuses it. It waits for nobody: whose keys are being repaired is left, too.
// The error is the refusal where nobody is left who could go.
func (p *Plane) applyLeaving(ctx context.Context, c Change, current flags.Policy) error {
	for {
		_, err := p.Apply(ctx, c)
		var refused *StepError
		if !errors.As(err, &refused) || refused.Passes() {
			return err
		}
		left := against(refused.Blocks, func(b *Block) bool { return b.Kind.Passes() })
		maps.DeleteFunc(left, func(tenant, _ string) bool { return c.left[tenant] != "" })
		if len(left) == 0 {
			return err
		}
		maps.Copy(left, c.left)
		c.left = left
		if serr := c.spare(current, left); serr != nil {
			return errors.Join(err, serr)
		}
		if !c.To.Valid() && !c.moves(current) {
			return err
		}
	}
}

// moves reports whether anybody whom the change names goes anywhere.
func (c *Change) moves(current flags.Policy) bool {
	for tenant, stage := range c.Targets {
		if at, named := current.Overrides[tenant]; !named || at != stage {
			return true
		}
	}
	return false
}
