package model

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
)

// The plans that the model goes by are those of the decisions that a process makes.
func TestPlansAreThoseOfDecisions(t *testing.T) {
	for p := range plans {
		p := policy(p)
		if !p.stage().Valid() {
			continue
		}
		set := flags.NewSet(nil)
		require.NoError(t, set.Apply(p.real(1)))
		set.Confirm()
		decision, err := set.Flag(migration).Peek(flags.Subject{Tenant: tenant})
		require.NoError(t, err)
		assert.Same(t, decision.Plan(), p.plan(), "%s", p)
	}
}
