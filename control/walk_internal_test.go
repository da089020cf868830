package control

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/ledger"
)

func TestWalkDownLooksAgainAfterAConflict(t *testing.T) {
	t.Parallel()
	conflict := &ConflictError{Migration: "m", Expected: 3, Epoch: 4, Other: ledger.Entry{Actor: "ben"}}
	down := &walking{down: true}
	require.NoError(t, down.forgive(t.Context(), &Change{}, conflict))
	up := &walking{}
	assert.ErrorIs(t, up.forgive(t.Context(), &Change{}, conflict), conflict, "a walk up leaves it to its people")
}
