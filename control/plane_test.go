package control_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
)

func TestStepIsSeenByAMember(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.join(control.MemberConfig{})
	use, err := m.Flag(name).Enter(context.Background(), flags.Subject{Tenant: "acme"})
	require.NoError(t, err)
	use.Done()
	assert.Equal(t, flags.Old, use.Stage)

	r := w.step(toDefault(flags.Dual))
	assert.True(t, r.Settled)
	assert.Equal(t, []int64{1}, r.Drained)
	assert.Equal(t, []int64{1}, r.Acknowledged)
	d, err := m.Flag(name).Peek(flags.Subject{Tenant: "acme"})
	require.NoError(t, err)
	assert.Equal(t, flags.Dual, d.Stage)
	assert.EqualValues(t, 2, d.Epoch)
}
