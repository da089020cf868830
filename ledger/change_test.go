package ledger_test

import (
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// draft changes the policy by fn.
func draft(actor string, fn func(*flags.Policy), e ledger.Effects) func(*ledger.State) (*ledger.Draft, error) {
	return func(s *ledger.State) (*ledger.Draft, error) {
		next := s.Current().Policy
		overrides := map[string]flags.Stage{}
		for tenant, stage := range next.Overrides {
			overrides[tenant] = stage
		}
		next.Overrides = overrides
		fn(&next)
		entry := ledger.Entry{Actor: actor, Reason: "because", Kind: ledger.KindDefault, From: s.Current().Default.String(), To: next.Default.String()}
		return &ledger.Draft{Next: next, Entries: []ledger.Entry{entry}, Effects: e}, nil
	}
}

func TestChangeIsReadBackAsItWasWritten(t *testing.T) {
	t.Parallel()
	store, _ := newStore(t)
	before, err := store.Policy(t.Context(), customers.Name)
	require.NoError(t, err)
	written, err := store.Change(t.Context(), customers.Name, 1, draft("ann", func(p *flags.Policy) {
		p.Default, p.Step = flags.Dual, flags.Step{To: flags.Shadow, Share: 1250}
		p.Overrides = map[string]flags.Stage{"acme": flags.Old, "o'hara \"x\"": flags.Live}
	}, ledger.Effects{}))
	require.NoError(t, err)
	assert.EqualValues(t, 2, written.Epoch)
	assert.NotEqual(t, before.ID, written.ID, "each policy has a random id of its own")
	read, err := store.Policy(t.Context(), customers.Name)
	require.NoError(t, err)
	assert.Equal(t, written, read)

	written, err = store.Change(t.Context(), customers.Name, 2, draft("ben", func(p *flags.Policy) {
		p.Step = flags.Step{}
		p.Overrides = map[string]flags.Stage{"acme": flags.Dual, "new": flags.Dual}
	}, ledger.Effects{}))
	require.NoError(t, err)
	read, err = store.Policy(t.Context(), customers.Name)
	require.NoError(t, err)
	assert.Equal(t, written, read)

	state, err := store.Load(t.Context(), customers.Name)
	require.NoError(t, err)
	require.Len(t, state.Policies, 3, "nobody drained the older ones")
	assert.Empty(t, state.Policies[0].Overrides)
	assert.Equal(t, map[string]flags.Stage{"acme": flags.Old, "o'hara \"x\"": flags.Live}, state.Policies[1].Overrides, "overrides are those of the policy's own epoch")
	assert.Equal(t, flags.Step{To: flags.Shadow, Share: 1250}, state.Policies[1].Step)
	assert.Equal(t, written.Overrides, state.Current().Overrides)
}

func TestOfManyChangesAtOnceOneWinsAndTheOthersSeeIt(t *testing.T) {
	t.Parallel()
	store, _ := newStore(t)
	const people = 8
	results := make([]error, people)
	var group errgroup.Group
	for i := range people {
		group.Go(func() error {
			_, results[i] = store.Change(t.Context(), customers.Name, 1, draft("ann", func(p *flags.Policy) { p.Default = flags.Dual }, ledger.Effects{}))
			return nil
		})
	}
	require.NoError(t, group.Wait())
	won := 0
	for _, err := range results {
		if err == nil {
			won++
			continue
		}
		var conflict *ledger.ConflictError
		require.ErrorAs(t, err, &conflict)
		assert.EqualValues(t, 2, conflict.Epoch)
		assert.Equal(t, "ann", conflict.Other.Actor)
		for _, word := range []string{"somebody else", "epoch 2 is in force, not 1", "by ann", "from old to dual", `"because"`} {
			assert.ErrorContains(t, err, word)
		}
	}
	assert.Equal(t, 1, won)
	history, err := store.History(t.Context(), customers.Name, ledger.HistoryFilter{})
	require.NoError(t, err)
	assert.Len(t, history, 2, "registered, and one change")
}

func TestRefusedAndEmptyChangesLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	store, _ := newStore(t)
	refusal := errors.New("not so")
	_, err := store.Change(t.Context(), customers.Name, 1, func(*ledger.State) (*ledger.Draft, error) { return nil, ledger.Refuse(refusal) })
	assert.Equal(t, refusal, err, "the error of the rules arrives as it is")
	p, err := store.Change(t.Context(), customers.Name, 1, func(*ledger.State) (*ledger.Draft, error) { return nil, nil })
	require.NoError(t, err)
	assert.EqualValues(t, 1, p.Epoch)
	_, err = store.Change(t.Context(), customers.Name, 1, draft("ann", func(p *flags.Policy) { p.Step = flags.Step{To: flags.Live, Share: 1} }, ledger.Effects{}))
	var invalid *flags.PolicyError
	require.ErrorAs(t, err, &invalid)
	assert.EqualValues(t, 1, inForce(t, store).Epoch)
}

func TestChangeNotifies(t *testing.T) {
	t.Parallel()
	store, pool := newStore(t)
	conn, err := pool.Acquire(t.Context())
	require.NoError(t, err)
	defer conn.Release()
	_, err = conn.Exec(t.Context(), "listen "+ledger.Channel)
	require.NoError(t, err)
	to(t, store, flags.Dual)
	n, err := conn.Conn().WaitForNotification(t.Context())
	require.NoError(t, err)
	assert.Equal(t, customers.Name, n.Payload)
}

func TestEffectsOnTenants(t *testing.T) {
	t.Parallel()
	store, pool := newStore(t)
	_, err := pool.Exec(t.Context(), `update crossfade.tenant_states set backfilled_at = now(), verified_at = now()`)
	require.NoError(t, err)
	_, err = pool.Exec(t.Context(), `with j as (insert into crossfade.jobs (migration_id, kind, state, requested_by)
			select m.id, k.kind, k.state, 'x' from crossfade.migrations m,
			(values ('backfill', 'cancelled'), ('verify', 'running'), ('backfill', 'done'), ('reconcile', 'running')) k(kind, state) returning id)
		insert into crossfade.checkpoints (job_id, tenant, phase) select j.id, t, 'x' from j, unnest('{acme,zeta}'::text[]) t`)
	require.NoError(t, err)
	_, err = store.Change(t.Context(), customers.Name, 1, draft("ann", func(p *flags.Policy) { p.Default = flags.Dual }, ledger.Effects{
		NotCopied: []string{"", "acme"}, OldIncomplete: []string{"acme"}, Keep: []string{"kept"}, Forget: []string{"acme"},
	}))
	require.NoError(t, err)
	state, err := store.Load(t.Context(), customers.Name)
	require.NoError(t, err)
	assert.Nil(t, state.Whole.BackfilledAt)
	assert.True(t, state.Whole.OldComplete)
	acme, kept := state.Tenants["acme"], state.Tenants["kept"]
	assert.Nil(t, acme.BackfilledAt)
	assert.Nil(t, acme.VerifiedAt)
	assert.False(t, acme.OldComplete)
	assert.NotNil(t, kept.BackfilledAt, "a tenant that does not move keeps what was true of the whole migration")
	assert.True(t, kept.OldComplete)
	rows, err := pool.Query(t.Context(), `select j.kind || ' ' || j.state || ' ' || c.tenant from crossfade.checkpoints c join crossfade.jobs j on j.id = c.job_id order by 1`)
	require.NoError(t, err)
	left, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	assert.Equal(t, []string{
		"backfill cancelled zeta", "backfill done acme", "backfill done zeta",
		"reconcile running acme", "reconcile running zeta", "verify running zeta",
	}, left, "jobs that may go on forget the tenant")
}

func TestHistoryIsReadBackwardsInParts(t *testing.T) {
	t.Parallel()
	store, _ := newStore(t)
	for _, tenant := range []string{"a", "b", "", "a"} {
		require.NoError(t, store.AddHistory(t.Context(), customers.Name, ledger.Entry{Actor: "ann", Kind: "note", Tenant: tenant, From: "x", To: "y"}))
	}
	all, err := store.History(t.Context(), customers.Name, ledger.HistoryFilter{Limit: 3})
	require.NoError(t, err)
	require.Len(t, all, 3)
	assert.Equal(t, []string{"a", "", "b"}, []string{all[0].Tenant, all[1].Tenant, all[2].Tenant})
	assert.Equal(t, `tenant "a" from x to y`, all[0].Change())
	assert.EqualValues(t, 1, all[0].Epoch)
	assert.WithinDuration(t, time.Now(), all[0].At, time.Hour)
	rest, err := store.History(t.Context(), customers.Name, ledger.HistoryFilter{Before: all[2].ID})
	require.NoError(t, err)
	assert.Len(t, rest, 2)
	mine, err := store.History(t.Context(), customers.Name, ledger.HistoryFilter{Tenant: "a"})
	require.NoError(t, err)
	assert.Len(t, mine, 4, "the tenant's own and the whole migration's")
	var input *ledger.InputError
	require.ErrorAs(t, store.AddHistory(t.Context(), customers.Name, ledger.Entry{Kind: "note"}), &input)
}
