//go:build unix

package pgtest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPromotedStandbyHasWhatReachedItAndNothingElse(t *testing.T) {
	ctx := t.Context()
	primary, err := Start(ctx, &Config{Own: true, InMemory: true})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, primary.Close(context.Background())) })
	require.NoError(t, primary.maintain(ctx, "create table t as select 1 as n"))
	standby, err := primary.Standby(ctx)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, standby.Close(context.Background())) })
	require.NoError(t, primary.maintain(ctx, "insert into t values (2)"))
	require.NoError(t, standby.CaughtUp(ctx, primary))
	require.NoError(t, standby.Detach(ctx))
	require.NoError(t, primary.maintain(ctx, "insert into t values (3)"))
	require.Error(t, standby.maintain(ctx, "insert into t values (4)"), "it takes no writes yet")
	require.NoError(t, primary.Stop(ctx, "immediate"))
	require.NoError(t, standby.Promote(ctx))
	require.NoError(t, standby.maintain(ctx, "insert into t values (5)"))
	var sum int
	require.NoError(t, askOne(ctx, standby.url, "select sum(n) from t", &sum))
	assert.Equal(t, 1+2+5, sum)
}
