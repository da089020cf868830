package control

import (
	"fmt"
	"maps"
	"slices"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// SetEach moves each of the Targets to a stage of its own, in one epoch, and
// takes the override of those away whose target is the zero stage. Where To is
// a stage, everybody whom no override names moves there at the same time, and
// the percentage step ends.
const SetEach ChangeKind = ledger.KindEach

// validateEach returns what is wrong with a change of kind SetEach.
func (c *Change) validateEach() string {
	if len(c.Targets) == 0 && !c.To.Valid() {
		return "name at least one tenant"
	}
	for tenant, stage := range c.Targets {
		if tenant == "" {
			return "a tenant's name is empty"
		}
		if stage != 0 && !stage.Valid() {
			return fmt.Sprintf("the target of tenant %q is no stage", tenant)
		}
	}
	return ""
}

// nextEach is next for SetEach.
func (c *Change) nextEach(current flags.Policy, next *flags.Policy, entry func(tenant, from, to string)) error {
	before, err := current.Compile()
	if err != nil {
		return err
	}
	if c.To.Valid() {
		next.Default, next.Step = c.To, flags.Step{}
		entry("", describe(current), describe(*next))
	}
	for tenant, stage := range c.Targets {
		if stage == 0 {
			delete(next.Overrides, tenant)
		} else {
			next.Overrides[tenant] = stage
		}
	}
	after, err := next.Compile()
	if err != nil {
		return err
	}
	for _, tenant := range slices.Sorted(maps.Keys(c.Targets)) {
		entry(tenant, placed(before, tenant), placed(after, tenant))
	}
	return nil
}
