package gormtx_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/crossfade-db/crossfade/repo/postgres"
	"github.com/crossfade-db/crossfade/repo/postgres/gormtx"
)

// both runs a test on the pool and in a transaction that pgx opened.
func both(t *testing.T, test func(t *testing.T, g *gorm.DB)) {
	t.Helper()
	t.Run("in a transaction", func(t *testing.T) {
		w := newWorld(t)
		require.NoError(t, w.inTx(func(_ context.Context, _ *postgres.Tx, g *gorm.DB) error {
			test(t, g)
			return nil
		}))
	})
	t.Run("on the pool", func(t *testing.T) {
		w := newWorld(t)
		test(t, w.opener.DB(w.pool).WithContext(t.Context()))
		assert.Zero(t, w.pool.Stat().AcquiredConns(), "every connection went back")
	})
}

func TestCreateFindUpdateDelete(t *testing.T) {
	both(t, func(t *testing.T, g *gorm.DB) {
		rating := 4.5
		a := author{Name: "Ann", Rating: &rating}
		require.NoError(t, g.Create(&a).Error)
		assert.NotZero(t, a.ID, "the key that the database made")

		batch := []author{{Name: "Bea"}, {Name: "Cid"}, {Name: "Dan"}}
		created := g.CreateInBatches(&batch, 2)
		require.NoError(t, created.Error)
		assert.EqualValues(t, 3, created.RowsAffected)
		assert.Len(t, map[int64]bool{a.ID: true, batch[0].ID: true, batch[1].ID: true, batch[2].ID: true}, 4)

		var found author
		require.NoError(t, g.First(&found, a.ID).Error)
		assert.Equal(t, "Ann", found.Name)
		assert.InDelta(t, 4.5, *found.Rating, 0)
		require.ErrorIs(t, g.First(&author{}, "name = ?", "Zoe").Error, gorm.ErrRecordNotFound)

		updated := g.Model(&author{}).Where("name in ?", []string{"Bea", "Cid"}).Update("rating", 1)
		require.NoError(t, updated.Error)
		assert.EqualValues(t, 2, updated.RowsAffected)
		returned := []author{}
		require.NoError(t, g.Model(&returned).Clauses(clause.Returning{}).Where("name = @name", map[string]any{"name": "Bea"}).
			Update("rating", gorm.Expr("rating + ?", 1)).Error)
		require.Len(t, returned, 1)
		assert.InDelta(t, 2, *returned[0].Rating, 0, "RETURNING fills the model")
		require.NoError(t, g.Save(&author{ID: a.ID, Name: "Anne"}).Error)

		require.NoError(t, g.Clauses(clause.OnConflict{
			Columns: []clause.Column{{Name: "name"}}, DoUpdates: clause.AssignmentColumns([]string{"rating"}),
		}).Create(&author{Name: "Dan", Rating: &rating}).Error)

		deleted := []author{}
		gone := g.Clauses(clause.Returning{Columns: []clause.Column{{Name: "id"}}}).Where("name = ?", "Cid").Delete(&deleted)
		require.NoError(t, gone.Error)
		assert.EqualValues(t, 1, gone.RowsAffected)
		require.NoError(t, g.Unscoped().Delete(&author{}, "name = ?", "Bea").Error)

		var count, all int64
		require.NoError(t, g.Model(&author{}).Count(&count).Error)
		require.NoError(t, g.Unscoped().Model(&author{}).Count(&all).Error)
		assert.Equal(t, []int64{2, 3}, []int64{count, all}, "soft and hard deletion")
	})
}

func TestAssociations(t *testing.T) {
	both(t, func(t *testing.T, g *gorm.DB) {
		a := author{Name: "Ann", Books: []book{
			{Title: "One", Tags: []tag{{"green"}, {"blue"}}},
			{Title: "Two", Tags: []tag{{"blue"}}},
		}}
		require.NoError(t, g.Create(&a).Error)
		require.NoError(t, g.Model(&a).Association("Books").Append(&book{Title: "Three"}))
		require.NoError(t, g.Model(&a.Books[0]).Association("Tags").Replace(&tag{"red"}, &tag{"blue"}))
		require.NoError(t, g.Model(&a.Books[1]).Association("Tags").Clear())

		var found author
		require.NoError(t, g.Preload("Books", func(g *gorm.DB) *gorm.DB { return g.Order("books.id") }).
			Preload("Books.Tags", func(g *gorm.DB) *gorm.DB { return g.Order("name") }).First(&found, a.ID).Error)
		require.Len(t, found.Books, 3)
		assert.Equal(t, []tag{{"blue"}, {"red"}}, found.Books[0].Tags)
		assert.Empty(t, found.Books[1].Tags)

		var joined []book
		require.NoError(t, g.Joins("Author").Order("books.id").Find(&joined, `"Author"."name" = ?`, "Ann").Error)
		require.Len(t, joined, 3)
		assert.Equal(t, "Ann", joined[2].Author.Name)
		assert.EqualValues(t, 3, g.Model(&a).Association("Books").Count())
	})
}

func TestQueriesOfEveryShape(t *testing.T) {
	both(t, func(t *testing.T, g *gorm.DB) {
		require.NoError(t, g.Create([]author{{Name: "Ann"}, {Name: "Bea"}, {Name: "Cid"}}).Error)
		var plucked []string
		require.NoError(t, g.Model(&author{}).Order("name desc").Pluck("name", &plucked).Error)
		assert.Equal(t, []string{"Cid", "Bea", "Ann"}, plucked)

		var first author
		made := g.Where(author{Name: "Dan"}).FirstOrCreate(&first)
		require.NoError(t, made.Error)
		assert.EqualValues(t, 1, made.RowsAffected)
		again := author{}
		require.NoError(t, g.Where(author{Name: "Dan"}).FirstOrCreate(&again).Error)
		assert.Equal(t, first.ID, again.ID)

		rows, err := g.Model(&author{}).Order("name").Rows()
		require.NoError(t, err)
		var streamed []string
		for rows.Next() {
			var a author
			require.NoError(t, g.ScanRows(rows, &a))
			streamed = append(streamed, a.Name)
		}
		require.NoError(t, rows.Close()) //nolint:sqlclosecheck // what comes after needs it
		assert.Equal(t, []string{"Ann", "Bea", "Cid", "Dan"}, streamed)

		var n int
		require.NoError(t, g.Raw("select count(*) from authors").Row().Scan(&n))
		assert.Equal(t, 4, n)
		var scanned struct{ Total, Lowest int64 }
		require.NoError(t, g.Raw("select count(*) as total, min(id) as lowest from authors where name <> ?", "Ann").Scan(&scanned).Error)
		assert.EqualValues(t, 3, scanned.Total)
		var maps []map[string]any
		require.NoError(t, g.Table("authors").Select("id, name").Order("id").Find(&maps).Error)
		assert.Equal(t, "Ann", maps[0]["name"])

		var batches, seen int
		var some []author
		require.NoError(t, g.FindInBatches(&some, 3, func(_ *gorm.DB, batch int) error {
			batches, seen = batch, seen+len(some)
			return nil
		}).Error)
		assert.Equal(t, []int{2, 4}, []int{batches, seen})
		require.NoError(t, g.Exec("update authors set rating = @r", map[string]any{"r": 3}).Error)
		require.NoError(t, g.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate}).First(&author{}).Error)

		generic, err := gorm.G[author](g).Where("name = ?", "Bea").First(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "Bea", generic.Name)
	})
}

func TestMigratorSeesColumns(t *testing.T) {
	both(t, func(t *testing.T, g *gorm.DB) {
		type gadget struct {
			ID    int64
			Name  string  `gorm:"size:40"`
			Price float64 `gorm:"type:numeric(12,2)"`
		}
		require.NoError(t, g.AutoMigrate(&gadget{}))
		require.NoError(t, g.AutoMigrate(&gadget{}), "and finds nothing to change the second time")
		require.True(t, g.Migrator().HasColumn(&gadget{}, "price"))

		rows, err := g.Table("gadgets").Rows()
		require.NoError(t, err)
		defer rows.Close()
		types, err := rows.ColumnTypes()
		require.NoError(t, err)
		require.Len(t, types, 3)
		assert.Equal(t, "INT8", types[0].DatabaseTypeName())
		length, ok := types[1].Length()
		assert.True(t, ok)
		assert.EqualValues(t, 40, length)
		precision, scale, ok := types[2].DecimalSize()
		assert.True(t, ok)
		assert.Equal(t, []int64{12, 2}, []int64{precision, scale})
	})
}

func TestErrorsOfPostgreSQLComeBack(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.opener.DB(w.pool).Create(&author{Name: "Ann"}).Error)
	bad := -1.0
	for name, c := range map[string]struct {
		do   func(g *gorm.DB) error
		code string
		is   error
	}{
		"duplicate":   {func(g *gorm.DB) error { return g.Create(&author{Name: "Ann"}).Error }, "23505", gorm.ErrDuplicatedKey},
		"foreign key": {func(g *gorm.DB) error { return g.Create(&book{AuthorID: 7, Title: "x"}).Error }, "23503", gorm.ErrForeignKeyViolated},
		"check":       {func(g *gorm.DB) error { return g.Create(&author{Name: "Bea", Rating: &bad}).Error }, "23514", gorm.ErrCheckConstraintViolated},
		"update":      {func(g *gorm.DB) error { return g.Exec("update authors set rating = -1").Error }, "23514", gorm.ErrCheckConstraintViolated},
		"syntax":      {func(g *gorm.DB) error { return g.Exec("selct 1").Error }, "42601", nil},
		"in a row":    {func(g *gorm.DB) error { return g.Raw("select 1/(id-id) from authors").Scan(new(int)).Error }, "22012", nil},
		"late row": {func(g *gorm.DB) error {
			return g.Raw("select 1/(2-i) from generate_series(1,3) i").Scan(&[]int{}).Error
		}, "22012", nil},
	} {
		t.Run(name, func(t *testing.T) {
			check := func(err error) {
				var pg *pgconn.PgError
				require.ErrorAs(t, err, &pg)
				assert.Equal(t, c.code, pg.Code)
				if c.is != nil {
					assert.ErrorIs(t, err, c.is)
				}
			}
			check(c.do(w.opener.DB(w.pool)))
			require.ErrorIs(t, w.inTx(func(_ context.Context, _ *postgres.Tx, g *gorm.DB) error {
				check(c.do(g))
				return errBoom
			}), errBoom)
		})
	}
	template := stock(t, w.dsn, nil)
	o, err := gormtx.New(template)
	require.NoError(t, err)
	require.NotErrorIs(t, o.DB(w.pool).Create(&author{Name: "Ann"}).Error, gorm.ErrDuplicatedKey, "a template decides for itself")
}
