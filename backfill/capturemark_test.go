package backfill_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/internal/fence"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres"
	"github.com/crossfade-db/crossfade/versions"
)

func (r notes) in(tx repo.Tx) notes { return notes{r.route.InTx(tx)} }

// Insert has the database make the key.
func (r notes) Insert(ctx context.Context, tenant, body string) (int64, error) {
	return repo.Create(ctx, r.route, op("Insert", repo.KindCreate), tenant, body,
		func(_ string, id int64) []string { return []string{text(id)} },
		func(ctx context.Context, s *side, body string) (int64, error) {
			if err := s.hooks.run(ctx, "Insert", 0); err != nil {
				return 0, err
			}
			var id int64
			err := s.db.QueryRow(ctx, "insert into "+s.name+" (tenant, id, "+s.write+") values ($1, nextval('note_ids'), "+
				strings.ReplaceAll(s.parts, "$3", "$2")+") returning id", tenant, body).Scan(&id)
			return id, err
		})
}

// bothRecord is a world at a stage whose sides are both captured and record.
func bothRecord(t *testing.T, stage flags.Stage) *world {
	t.Helper()
	w := newWorld(t, stage)
	w.exec("create sequence note_ids start 1000")
	w.capture(flags.OldSide, flags.NewSide)
	w.mode(flags.OldSide, ledger.CaptureRecords)
	w.mode(flags.NewSide, ledger.CaptureRecords)
	return w
}

func TestCaptureLeavesTheApplicationsOwnWritesOut(t *testing.T) {
	t.Parallel()
	for _, stage := range flags.Stages() {
		for _, mode := range []ledger.CaptureMode{ledger.CaptureRecords, ledger.CaptureRefuses} {
			t.Run(stage.String()+" "+mode.String(), func(t *testing.T) {
				t.Parallel()
				w := bothRecord(t, stage)
				w.mode(flags.OldSide, mode)
				w.mode(flags.NewSide, mode)
				ctx := t.Context()
				require.NoError(t, w.notes.Save(ctx, acme, note{ID: 1, Text: "one"}))
				require.NoError(t, w.notes.Save(ctx, acme, note{ID: 1, Text: "two"}))
				require.NoError(t, w.notes.Save(ctx, acme, note{ID: 2, Text: `a "quoted", {key}\`}))
				require.NoError(t, w.notes.Delete(ctx, acme, 2))
				require.NoError(t, w.notes.SeeAll(ctx, acme))
				id, err := w.notes.Insert(ctx, acme, "made by the database")
				require.NoError(t, err)
				assert.Empty(t, w.stale())
				if stage.Plan().WritesBoth {
					w.equal()
					assert.Equal(t, "made by the database", w.text("notes_v2", id))
				}
				require.NoError(t, w.db.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
					if err := w.notes.in(tx).SeeAll(ctx, acme); err != nil {
						return err
					}
					if err := w.notes.in(tx).Save(ctx, acme, note{ID: 3, Text: "three"}); err != nil {
						return err
					}
					_, err := w.notes.in(tx).Insert(ctx, acme, "made in a transaction")
					return err
				}))
				assert.Empty(t, w.stale())
				assert.Empty(t, w.list("select role from crossfade.captures"), "and nobody is said to bypass the application")
			})
		}
	}
}

func TestCaptureRecordsPlainWritesBesideTheApplicationsOwnInOneTransaction(t *testing.T) {
	t.Parallel()
	w := bothRecord(t, flags.Dual)
	ctx := t.Context()
	require.NoError(t, w.notes.Save(ctx, acme, note{ID: 1, Text: "one"}))
	require.NoError(t, w.notes.Save(ctx, acme, note{ID: 2, Text: "two"}))
	plain := func(q postgres.DBTX, id int64) error {
		_, err := q.Exec(ctx, "update notes_v1 set seen = seen + 1 where id = $1", id)
		return err
	}
	t.Run("of the same key, after the operation", func(t *testing.T) {
		require.NoError(t, w.db.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			require.NoError(t, w.notes.in(tx).Save(ctx, acme, note{ID: 1, Text: "again"}))
			return plain(tx, 1)
		}))
		assert.Equal(t, []string{"acme:new:1"}, w.recorded())
	})
	t.Run("by every way to send a statement", func(t *testing.T) {
		for way, send := range map[string]func(tx *postgres.Tx) error{
			"query": func(tx *postgres.Tx) error {
				rows, err := tx.Query(ctx, "update notes_v1 set seen = 1 where id = 1 returning id")
				require.NoError(t, err)
				rows.Close()
				return rows.Err()
			},
			"row": func(tx *postgres.Tx) error {
				var id int64
				return tx.QueryRow(ctx, "update notes_v1 set seen = 1 where id = 1 returning id").Scan(&id)
			},
			"batch": func(tx *postgres.Tx) error {
				var b pgx.Batch
				b.Queue("update notes_v1 set seen = 1 where id = 1")
				return tx.SendBatch(ctx, &b).Close()
			},
			"copy": func(tx *postgres.Tx) error {
				if _, err := tx.Exec(ctx, "delete from notes_v1 where id = 1"); err != nil {
					return err
				}
				require.NoError(t, w.notes.in(tx).Save(ctx, acme, note{ID: 5, Text: "again"}))
				_, err := tx.CopyFrom(ctx, pgx.Identifier{"notes_v1"}, []string{"tenant", "id", "body"}, pgx.CopyFromRows([][]any{{acme, 1, "copied"}}))
				return err
			},
		} {
			require.NoError(t, w.db.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
				require.NoError(t, w.notes.in(tx).Save(ctx, acme, note{ID: 1, Text: "again"}))
				return send(tx)
			}), way)
			assert.Contains(t, w.recorded(), "acme:new:1", way)
		}
	})
	t.Run("of another key, in the operation's own statements", func(t *testing.T) {
		w.old.on("Save", func(context.Context, int64) error { return nil })
		err := repo.Write(ctx, w.notes.route, op("Save", repo.KindWrite), acme, repo.Key("1"), repo.NoArgs{},
			func(ctx context.Context, s *side, _ repo.NoArgs) error {
				_, err := s.db.Exec(ctx, "update "+s.name+" set seen = 7 where id in (1, 2)")
				return err
			})
		require.NoError(t, err)
		assert.Equal(t, []string{"acme:new:2", "acme:old:2"}, sorted(w.recorded()))
	})
	t.Run("in a transaction that the application opened", func(t *testing.T) {
		tx, err := w.pool.Begin(ctx)
		require.NoError(t, err)
		defer tx.Rollback(ctx)
		adopted, err := w.db.Adopt(ctx, tx)
		require.NoError(t, err)
		require.ErrorIs(t, w.notes.in(adopted).Delete(ctx, acme, 99), errNoNote)
		_, err = tx.Exec(ctx, "insert into notes_v1 values ('acme', 99, 'after an operation that failed')")
		require.NoError(t, err)
		require.NoError(t, w.notes.in(adopted).Save(ctx, acme, note{ID: 1, Text: "adopted"}))
		_, err = tx.Exec(ctx, "update notes_v1 set seen = 9 where id = 1")
		require.NoError(t, err)
		require.NoError(t, tx.Commit(ctx))
		assert.Equal(t, []string{"acme:new:1", "acme:new:99"}, w.recorded())
	})
	t.Run("after a savepoint that was rolled back", func(t *testing.T) {
		require.NoError(t, w.db.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			notes := w.notes.in(tx)
			require.NoError(t, notes.Save(ctx, acme, note{ID: 1, Text: "before"}))
			_, err := tx.Exec(ctx, "savepoint a")
			require.NoError(t, err)
			require.NoError(t, notes.Save(ctx, acme, note{ID: 2, Text: "inside"}))
			_, err = tx.Exec(ctx, "select 1/0")
			require.Error(t, err)
			_, err = tx.Exec(ctx, "rollback to savepoint a")
			require.NoError(t, err)
			require.NoError(t, plain(tx, 1))
			return plain(tx, 2)
		}))
		assert.Equal(t, []string{"acme:new:1", "acme:new:2"}, w.recorded())
	})
	t.Run("and forgets what was rolled back", func(t *testing.T) {
		require.NoError(t, w.db.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			_, err := tx.Exec(ctx, "savepoint a")
			require.NoError(t, err)
			require.NoError(t, plain(tx, 1))
			_, err = tx.Exec(ctx, "rollback to savepoint a")
			require.NoError(t, err)
			return plain(tx, 2)
		}))
		assert.Equal(t, []string{"acme:new:2"}, w.recorded())
	})
}

func TestCaptureRecordsCascadesAndUsersTriggersOfTheApplicationsOwnWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(t, flags.Dual)
	// The lines of a note have the note's key; so has the log that a trigger fills.
	w.exec(`create table lines (tenant text, note bigint, n int, primary key (tenant, note, n),
			foreign key (tenant, note) references notes_v1 on delete cascade on update cascade);
		create table heads (tenant text, note bigint, changes int, primary key (tenant, note));
		create function note_changed() returns trigger language plpgsql as $$
		begin
			insert into heads values (new.tenant, new.id, 1) on conflict (tenant, note) do update set changes = heads.changes + 1;
			return null;
		end $$;
		create trigger zzz_changed after insert or update on notes_v1 for each row execute function note_changed();
		create trigger aaa_changed after insert or update on notes_v1 for each row execute function note_changed()`)
	c := w.capture(flags.OldSide)
	key := []string{"note"}
	_, err := c.Install(t.Context(), migrationName, flags.OldSide, false,
		backfill.CaptureTable{Schema: "public", Table: "lines", Tenant: "tenant", Key: key},
		backfill.CaptureTable{Schema: "public", Table: "heads", Tenant: "tenant", Key: key})
	require.NoError(t, err)
	ctx := t.Context()

	require.NoError(t, w.notes.Save(ctx, acme, note{ID: 1, Text: "one"}))
	assert.Equal(t, []string{"acme:new:1 capture: table public.heads", "acme:new:1 capture: table public.heads"}, w.recorded(), "the statements of triggers")
	w.exec("insert into lines values ('acme', 1, 1), ('acme', 1, 2)")
	assert.Equal(t, []string{"acme:new:1 capture: table public.lines"}, w.recorded())
	require.NoError(t, w.notes.Delete(ctx, acme, 1))
	assert.Equal(t, []string{"acme:new:1 capture: table public.lines"}, w.recorded(), "a cascade within the operation, also of its own key")

	t.Run("after a cascade, the operation's own statements count as its own again", func(t *testing.T) {
		w.exec("insert into notes_v1 values ('acme', 2, 'two'); insert into lines values ('acme', 2, 1)")
		w.recorded()
		require.NoError(t, w.db.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			require.NoError(t, w.notes.in(tx).Delete(ctx, acme, 2))
			return repo.Write(ctx, w.notes.in(tx).route, op("AddLine", repo.KindWrite), acme, repo.Key("3"), repo.NoArgs{},
				func(ctx context.Context, s *side, _ repo.NoArgs) error {
					if s.name == "notes_v2" {
						return nil
					}
					_, err := s.db.Exec(ctx, "with note as (insert into notes_v1 values ('acme', 3, 'three') returning id) insert into heads values ('acme', 4, 0)")
					require.NoError(t, err)
					_, err = s.db.Exec(ctx, "insert into lines values ('acme', 3, 1)")
					return err
				})
		}))
		assert.Equal(t, []string{
			"acme:new:2 capture: table public.lines",
			"acme:new:3 capture: table public.heads", "acme:new:3 capture: table public.heads", "acme:new:4 capture: table public.heads",
		}, sorted(w.recorded()))
	})

	t.Run("what was captured says so", func(t *testing.T) {
		assert.Equal(t, []string{"public.heads INSERT true", "public.lines DELETE true", "public.lines INSERT false"},
			w.list("select distinct table_name || ' ' || operation || ' ' || deep from crossfade.captures where table_name in ('public.lines', 'public.heads') and operation <> 'UPDATE' and (table_name, deep) <> ('public.heads', false) order by 1"))
	})

	t.Run("refused, the operation's own cascades on its key pass, and others do not", func(t *testing.T) {
		w.exec("insert into lines values ('acme', 3, 2)")
		w.recorded()
		w.mode(flags.OldSide, ledger.CaptureRefuses)
		require.NoError(t, w.notes.Save(ctx, acme, note{ID: 3, Text: "again"}))
		require.NoError(t, w.notes.Delete(ctx, acme, 3))
		assert.Empty(t, w.recorded())
		require.NoError(t, w.notes.Save(ctx, acme, note{ID: 5, Text: "five"}))
		w.exec("create function other_head() returns trigger language plpgsql as $$ begin insert into heads values ('acme', 6, 1); return null; end $$")
		w.exec("create trigger other after update on notes_v1 for each row execute function other_head()")
		err := w.notes.Save(ctx, acme, note{ID: 5, Text: "six"})
		assert.Equal(t, "XF006", sqlState(err))
		assert.True(t, repo.Retryable(err), "the authority's statement was refused: decided anew until it is given up")
	})
}

func sorted(list []string) []string {
	out := append([]string{}, list...)
	for i := range out {
		for j := i; j > 0 && out[j] < out[j-1]; j-- {
			out[j], out[j-1] = out[j-1], out[j]
		}
	}
	return out
}

func TestCaptureOfTheSideWithoutAuthorityFailsThatSide(t *testing.T) {
	t.Parallel()
	stray := func(w *world) error {
		return repo.Write(t.Context(), w.notes.route, op("Stray", repo.KindWrite), acme, repo.Key("1"), repo.NoArgs{},
			func(ctx context.Context, s *side, _ repo.NoArgs) error {
				_, err := s.db.Exec(ctx, "update "+s.name+" set seen = 7 where id in (1, 2)")
				return err
			})
	}
	w := newWorld(t, flags.Dual)
	require.NoError(t, w.notes.Save(t.Context(), acme, note{ID: 1, Text: "one"}))
	require.NoError(t, w.notes.Save(t.Context(), acme, note{ID: 2, Text: "two"}))
	w.capture(flags.NewSide)
	require.NoError(t, stray(w))
	assert.Equal(t, []string{"new:1"}, w.stale(), "recorded like any other failure of that side")
	w.exec("delete from crossfade.stale_keys")

	w.step(flags.Live)
	err := stray(w)
	assert.True(t, repo.Retryable(err))
	w.capture(flags.OldSide)
	w.mode(flags.NewSide, ledger.CaptureRecords)
	err = stray(w)
	var failed *repo.SideError
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, flags.OldSide, failed.Side)
	assert.False(t, repo.Retryable(err))
}

func TestCaptureOfTwoMigrationsKeepsThemApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, flags.Dual)
	_, err := w.store.Register(t.Context(), other, "")
	require.NoError(t, err)
	_, err = w.store.Change(t.Context(), other.Name, 1, func(*ledger.State) (*ledger.Draft, error) {
		return &ledger.Draft{Next: flags.Policy{Default: flags.Dual}}, nil
	})
	require.NoError(t, err)
	w.exec(`create table heads_v1 (tenant text, id bigint, primary key (tenant, id))`)
	c := w.capture(flags.OldSide, flags.NewSide)
	w.mode(flags.NewSide, ledger.CaptureRecords)
	// The other migration keeps both tables: its own, and the notes.
	_, err = c.Install(t.Context(), other.Name, flags.OldSide, false,
		backfill.CaptureTable{Schema: "public", Table: "heads_v1", Tenant: "tenant", Key: []string{"id"}}, captured[0])
	require.NoError(t, err)
	records := func() []string {
		return sorted(w.list(`with gone as (delete from crossfade.stale_keys s using crossfade.migrations m where m.id = s.migration_id returning m.name || ' ' || s.key as r) select r from gone`))
	}
	ctx := t.Context()
	w.exec("insert into notes_v1 values ('acme', 7, 'seven')")
	assert.Equal(t, []string{"heads-v2 7", "notes-v2 7"}, records(), "a plain write is recorded for both")
	require.NoError(t, w.notes.Save(ctx, acme, note{ID: 1, Text: "one"}))
	assert.Equal(t, []string{"heads-v2 1"}, records(), "the mark of one migration is nothing to the other")
	err = w.db.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		if err := w.notes.in(tx).Save(ctx, acme, note{ID: 2, Text: "two"}); err != nil {
			return err
		}
		// As the operation of another migration's side would: behind its own fence.
		call := fence.Call{Tenant: "acme", Guarded: true, Lock: true, Keys: []string{"2"}}
		err := tx.QueryRow(ctx, "select id, epoch, policy_id from crossfade.migrations where name = $1", other.Name).Scan(&call.Migration, &call.Epoch, &call.Policy)
		if err != nil {
			return err
		}
		statements := call.Statements()
		_, err = tx.Exec(ctx, statements[0].SQL, statements[0].Args...)
		if err != nil {
			return err
		}
		var captured bool
		err = tx.QueryRow(ctx, statements[1].SQL, statements[1].Args...).Scan(&captured)
		assert.True(t, captured)
		if err == nil {
			_, err = tx.Exec(ctx, "insert into heads_v1 values ('acme', 2)")
		}
		if err == nil {
			_, err = tx.Exec(ctx, "update notes_v1 set seen = 3 where id = 2")
		}
		return err
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"heads-v2 2", "notes-v2 2"}, records(), "each from the other's operation")
}

var other = versions.Migration{Name: "heads-v2", Entity: "heads", From: "v1", To: "v2"}
