package postgres_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm/clause"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
	"github.com/crossfade-db/crossfade/repo/postgres/gormtx"
)

// parcel is an argument that refers to memory of the caller.
type parcel struct {
	Note *note
	Tags []string
	Meta map[string]int64
}

// send saves a parcel, by sides that change it as they do so.
func (r routed) send(ctx context.Context, p *parcel, before func()) error {
	op := repo.Op{Entity: "Notes", Method: "Send", Kind: repo.KindWrite, Queue: true, CloneArgs: true}
	return repo.Write(ctx, r.route, op, tenant, repo.Key("1"), p, func(ctx context.Context, side notes, p *parcel) error {
		before()
		p.Note.Text += "!"
		p.Tags[0] += "!"
		p.Meta["n"]++
		return side.Save(ctx, tenant, note{ID: p.Note.ID, Text: p.Note.Text + p.Tags[0], Seen: p.Meta["n"]})
	})
}

// A hook of a side fills in what the caller gave. Another run, after a refusal
// or without a queue, begins where the first one did.
func TestArgumentsThatASideChangesAreTheCallersAgainInAnotherRun(t *testing.T) {
	for _, stage := range flags.Stages() {
		for _, why := range []string{"nothing", "a refusal", "a failure"} {
			t.Run(why+" at "+stage.String(), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, stage, nil)
				authority, other := tables(stage)
				calls := 0
				before := func() {
					calls++
					if why == "a refusal" && calls == 1 {
						w.publish(stage)
					}
				}
				var once atomic.Bool
				if why == "a failure" { // of a statement in the queue, and not outside of it
					w.routeAuthority(stage, func(ctx context.Context, side *table, n note) error {
						if err := side.Save(ctx, tenant, n); err != nil {
							return err
						}
						if once.CompareAndSwap(false, true) {
							return later(ctx, side.db, "select 1 / $1::int", 0)
						}
						return nil
					})
				}
				p := &parcel{Note: &note{ID: 1, Text: "one"}, Tags: []string{"a"}, Meta: map[string]int64{"n": 5}}
				mine, tags, meta := p.Note, p.Tags, p.Meta
				require.NoError(t, w.notes.send(t.Context(), p, before))
				assert.Equal(t, "one!a! 6", w.text(authority, 1))
				assert.Equal(t, "one! a! 6", mine.Text+" "+tags[0]+" "+keyText(meta["n"]), "the caller has what the authority made of it")
				if stage.Plan().WritesBoth { // whose method gets what the authority left, as in one program
					assert.Equal(t, "one!!a!! 7", w.text(other, 1))
				}
				if why != "nothing" && stage != flags.Live {
					assert.Greater(t, calls, len(p.Tags))
				}
			})
		}
	}
}

// The fence travels with the write, and refuses it all.
func TestRefusalInAQueuedBatchWritesNothingAndDecidesAnew(t *testing.T) {
	for _, from := range flags.Stages() {
		for _, to := range flags.Stages() {
			if d := int(to) - int(from); d != 1 && d != -1 {
				continue
			}
			t.Run(from.String()+" to "+to.String(), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, from, nil)
				w.publish(to)
				require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
				for _, side := range []flags.Side{flags.OldSide, flags.NewSide} {
					want := ""
					if to.Plan().Authority == side || to.Plan().WritesBoth {
						want = "one 0"
					}
					assert.Equal(t, want, w.text([]string{"notes_v1", "notes_v2"}[side], 1))
				}
				assert.EqualValues(t, 1, w.notes.route.Stats().Refused)
			})
		}
	}
}

// A side that sends batches, copies rows in, and leaves rows open, among
// statements that wait.
func TestEveryShapeOfStatementAmongThoseThatWait(t *testing.T) {
	for _, mode := range execModes {
		for _, stage := range flags.Stages() {
			t.Run(stage.String()+" by "+mode.String(), func(t *testing.T) {
				t.Parallel()
				w := newWorldOn(t, poolOf(t, mode), stage, nil)
				w.exec("create table log_v1 (n bigserial, what text); create table log_v2 (n bigserial, what text)")
				write := func(ctx context.Context, side *table, n note) error {
					log := "log_" + side.name[len("notes_"):]
					say := func(what string) {
						require.NoError(t, later(ctx, side.db, "insert into "+log+" (what) values ($1)", what))
					}
					say("before the batch")
					b, got := &pgx.Batch{}, []string(nil)
					b.Queue("insert into "+log+" (what) values ($1) returning what", "in the batch").QueryRow(func(row pgx.Row) error {
						var what string
						err := row.Scan(&what)
						got = append(got, what)
						return err
					})
					b.Queue("select what from " + log + " order by n").Query(func(rows pgx.Rows) error {
						all, err := pgx.CollectRows(rows, pgx.RowTo[string])
						got = append(got, all...)
						return err
					})
					require.NoError(t, side.db.SendBatch(ctx, b).Close())
					assert.Equal(t, []string{"in the batch", "before the batch", "in the batch"}, got)
					say("before the copy")
					copied, err := side.db.CopyFrom(ctx, pgx.Identifier{log}, []string{"what"}, pgx.CopyFromRows([][]any{{"copied"}}))
					require.NoError(t, err)
					assert.EqualValues(t, 1, copied)
					say("before the row")
					var count int
					require.NoError(t, side.db.QueryRow(ctx, "select count(*) from "+log+" where what like $1", "before%").Scan(&count))
					assert.Equal(t, 3, count)
					say("before the rows")
					rows, err := side.db.Query(ctx, "select what from "+log+" order by n")
					require.NoError(t, err)
					require.True(t, rows.Next())
					rows.Close()
					require.NoError(t, rows.Err())
					say("last")
					return side.Save(ctx, tenant, n)
				}
				w.route(saves(plainV1, write), saves(plainV2, write), nil)
				require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
				const all = "before the batch, in the batch, before the copy, copied, before the row, before the rows, last"
				authority, other := tables(stage)
				assert.Equal(t, "one 0", w.text(authority, 1))
				logged := func(notes string) string {
					return one[string](w, "select coalesce(string_agg(what, ', ' order by n), '') from log_"+notes[len("notes_"):])
				}
				assert.Equal(t, all, logged(authority))
				if stage.Plan().WritesBoth {
					assert.Equal(t, all, logged(other))
					w.sameOnBothSides()
				}
			})
		}
	}
}

// Rows that a side leaves open make the connection busy for whatever follows:
// the other side's are closed, and the authority's fail the write as one.
func TestRowsLeftOpenAmongStatementsThatWait(t *testing.T) {
	for _, stage := range both {
		open := func(ctx context.Context, side *table, n note) error {
			if err := side.Save(ctx, tenant, n); err != nil {
				return err
			}
			rows, err := side.db.Query(ctx, "select generate_series(1, 100)")
			if err == nil {
				rows.Next()
			}
			return err
		}
		w := newWorld(t, stage, nil)
		w.routeOther(stage, open)
		require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one"}))
		w.sameOnBothSides()
		w.routeAuthority(stage, open)
		err := w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "two"})
		var unknown *repo.UnknownOutcomeError
		require.NotErrorAs(t, err, &unknown)
		w.sameOnBothSides()
		if err == nil {
			assert.Equal(t, "two 0", w.text("notes_v1", 1))
		} else {
			assert.Equal(t, "one 0", w.text("notes_v1", 1))
		}
		assert.Zero(t, w.pool.Stat().AcquiredConns())
	}
}

// noteRow is a row of version 1 as GORM knows it.
type noteRow struct {
	Tenant string `gorm:"primaryKey"`
	ID     int64  `gorm:"primaryKey;autoIncrement:false"`
	Body   string
	Seen   int64
}

func (noteRow) TableName() string { return "notes_v1" }

// One side is written with GORM, the other by statements that wait.
func TestGORMOnOneSideOfAQueue(t *testing.T) {
	opener, err := gormtx.New(nil)
	require.NoError(t, err)
	for _, stage := range flags.Stages() {
		t.Run(stage.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, stage, nil)
			w.exec("alter table notes_v1 add check (seen < 13); alter table notes_v2 add check (seen < 14)")
			w.route(saves(plainV1, func(ctx context.Context, side *table, n note) error {
				row := noteRow{tenant, n.ID, n.Text, n.Seen}
				return opener.DB(side.db).WithContext(ctx).Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error
			}), plainV2, nil)
			authority, other := tables(stage)
			require.NoError(t, w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "one", Seen: 1}))
			assert.Equal(t, "one 1", w.text(authority, 1))
			if stage.Plan().WritesBoth {
				w.sameOnBothSides()
			}
			err := w.notes.Save(t.Context(), tenant, note{ID: 1, Text: "two", Seen: 13})
			switch stage {
			case flags.New: // nobody asks GORM's side
				require.NoError(t, err)
			case flags.RampDown:
				require.NoError(t, err)
				assert.Equal(t, staleOnOther(stage), w.stale())
				assert.Equal(t, "one 1", w.text(other, 1))
			default:
				require.Error(t, err)
				assert.Equal(t, "one 1", w.text(authority, 1))
				assert.Empty(t, w.stale())
			}
		})
	}
}
