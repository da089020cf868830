package flags_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/crossfade-db/crossfade/flags"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const migration = "customers-v2"

var acme = flags.Subject{Tenant: "acme"}

// policy returns a policy of the migration with everybody at one stage.
func policy(epoch int64, stage flags.Stage) flags.Policy {
	return flags.Policy{Migration: migration, Epoch: epoch, ID: idOf(epoch), Default: stage}
}

// idOf returns a policy id that is the same in every run.
func idOf(epoch int64) flags.PolicyID {
	var id flags.PolicyID
	copy(id[:], fmt.Sprintf("policy %9d", epoch))
	return id
}

// setOf returns a set with these policies and nothing to fetch from.
func setOf(t testing.TB, policies ...flags.Policy) *flags.Set {
	t.Helper()
	set := flags.NewSet(nil)
	for _, p := range policies {
		require.NoError(t, set.Apply(p))
	}
	return set
}

// enter decides for acme, and fails the test on an error.
func enter(t testing.TB, ctx context.Context, d flags.Decider) flags.Use {
	t.Helper()
	use, err := d.Enter(ctx, acme)
	require.NoError(t, err)
	return use
}

// oldest returns the epoch that the set acknowledges for the migration.
func oldest(t testing.TB, set *flags.Set) int64 {
	t.Helper()
	all := set.Oldest()
	require.Len(t, all, 1)
	require.Equal(t, migration, all[0].Migration)
	require.Equal(t, idOf(all[0].Epoch), all[0].PolicyID)
	return all[0].Epoch
}
