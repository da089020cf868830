package postgres_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// Where connections bring the timeouts, no transaction sets them, and an
// unfenced write is its own statement and nothing else.
func TestConnectionsThatBringTheTimeouts(t *testing.T) {
	t.Parallel()
	cfg := &postgres.Config{StatementTimeout: 21 * time.Second, LockTimeout: 11 * time.Second, MaxTxAge: 31 * time.Second}
	for _, tc := range []struct {
		name     string
		stage    flags.Stage
		standing flags.Standing
		sort     sort
		call     call
		want     traffic
	}{
		{"an unfenced write that can be queued", flags.Old, unfenced, queued, save, traffic{1, 1}},
		{"an unfenced write that runs at once", flags.Old, unfenced, raw, save, traffic{2, 4}},
		{"a write that can be queued", flags.New, none, queued, save, traffic{1, 3}},
		{"a write that can be queued", flags.Dual, none, queued, save, traffic{1, 4}},
		{"two writes in one transaction", flags.Old, none, queued, saveTwiceInOne, traffic{6, 8}},
	} {
		t.Run(tc.name+" at "+tc.stage.String(), func(t *testing.T) {
			t.Parallel()
			w, wire := wiredWith(t, tc.stage, tc.standing, tc.sort, cfg, cfg.SetTimeouts)
			run := func() { require.NoError(t, tc.call(t.Context(), w)) }
			for range 3 {
				run()
			}
			assert.Equal(t, tc.want, wire.during(run))
		})
	}
	for _, stage := range []flags.Stage{flags.Old, flags.Dual, flags.Live, flags.New} {
		for _, standing := range []flags.Standing{none, unfenced} {
			w, _ := wiredWith(t, stage, standing, raw, cfg, cfg.SetTimeouts)
			w.exec(`create table heard (timeouts text);
				create function hear() returns trigger language plpgsql as $$ begin
					insert into heard values (concat_ws(' ', current_setting('statement_timeout'), current_setting('lock_timeout'),
						current_setting('idle_in_transaction_session_timeout'))); return null; end $$;
				create trigger hear after insert or update on notes_v1 execute function hear();
				create trigger hear after insert or update on notes_v2 execute function hear()`)
			require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "hello world"}))
			want := "21s 11s 31s"
			if stage == flags.Dual || stage == flags.Live {
				want = "21s 11s 31s, 5s 1s 31s"
			}
			assert.Equal(t, want, one[string](w, "select string_agg(distinct timeouts, ', ') from heard"), "%s %+v", stage, standing)
		}
	}
}

// Other timeouts than those of the configuration are no reason not to set it.
func TestConnectionsThatBringOtherTimeouts(t *testing.T) {
	t.Parallel()
	other := &postgres.Config{LockTimeout: time.Second}
	w, wire := wiredWith(t, flags.Old, unfenced, queued, nil, other.SetTimeouts)
	for range 3 {
		require.NoError(t, save(t.Context(), w))
	}
	assert.Equal(t, traffic{1, 2}, wire.during(func() { require.NoError(t, save(t.Context(), w)) }))
}

// The triggers of capture are told of it in every form.
func TestUnfencedWriteThatIsSentAloneSaysSo(t *testing.T) {
	t.Parallel()
	cfg := &postgres.Config{}
	for _, mode := range []sort{queued, raw} {
		w, _ := wiredWith(t, flags.Old, unfenced, mode, cfg, cfg.SetTimeouts)
		w.exec(`create table heard (query text, unfenced text);
			create function hear() returns trigger language plpgsql as $$ begin
				insert into heard values (current_query(), current_setting('crossfade.unfenced', true)); return null; end $$;
			create trigger hear after insert or update on notes_v1 execute function hear()`)
		require.NoError(t, save(t.Context(), w))
		const said = "/* crossfade: unfenced notes-v2 */ "
		assert.True(t, one[bool](w, "select bool_and(starts_with(query, '"+said+"') <> (coalesce(unfenced, '') = 'notes-v2')) from heard"))
	}
}

// READ COMMITTED has to be said there, and that costs no round trip.
func TestAnotherDefaultIsolationCostsNoRoundTrip(t *testing.T) {
	t.Parallel()
	for _, stage := range []flags.Stage{flags.Old, flags.Dual, flags.New} {
		w, wire := wiredWith(t, stage, none, queued, nil, func(cfg *pgxpool.Config) {
			cfg.ConnConfig.RuntimeParams["default_transaction_isolation"] = "serializable"
		})
		for range 3 {
			require.NoError(t, save(t.Context(), w))
		}
		assert.Equal(t, 1, wire.during(func() { require.NoError(t, save(t.Context(), w)) }).Trips, stage)
	}
}
