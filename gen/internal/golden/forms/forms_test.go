package forms_test

import (
	"context"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/gen/internal/golden/forms"
	v1 "github.com/crossfade-db/crossfade/gen/internal/golden/forms/v1"
	v2 "github.com/crossfade-db/crossfade/gen/internal/golden/forms/v2"
	"github.com/crossfade-db/crossfade/internal/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m, tables)) }

func tables(ctx context.Context, dsn string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, v1.Schema+v2.Schema)
	return err
}

func article(id int64) forms.Article {
	note := "a note"
	return forms.Article{
		Base: forms.Base{Tenant: "acme", ID: id}, Title: "Title", Tags: []string{"a", "b"}, Status: "draft", Rank: 3, Note: &note,
		Extra: json.RawMessage(`{"k": 1}`), Price: 1250, Author: forms.Author{Name: "Ada", Email: "ada@example.org"},
		Written: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
}

func TestEveryFormOfQueryAnswersAsTheInterfaceSays(t *testing.T) {
	pool := pgtest.Pool(t)
	t.Run("v1", func(t *testing.T) { contract(t, v1.New(pool)) })
	t.Run("v2", func(t *testing.T) { contract(t, v2.New(pool)) })
}

func contract(t *testing.T, repo forms.Articles) {
	ctx := t.Context()
	var missing *forms.NotFound
	_, err := repo.Get(ctx, "acme", 1)
	require.ErrorAs(t, err, &missing)
	_, found, err := repo.Find(ctx, "acme", "Title")
	require.NoError(t, err)
	require.False(t, found)
	require.ErrorAs(t, repo.Rename(ctx, "acme", 1, "x"), &missing)
	require.ErrorAs(t, repo.Delete(ctx, "acme", 1), &missing)
	require.ErrorAs(t, repo.Lock(ctx, "acme", 1), &missing)
	_, err = repo.Raise(ctx, "acme", 1, 2)
	require.ErrorAs(t, err, &missing)
	none, err := repo.List(ctx, "acme", 0, 10)
	require.NoError(t, err)
	require.Empty(t, none)

	first := article(1)
	require.NoError(t, repo.Save(ctx, first))
	stored(t, repo, first)
	first.Note, first.Extra, first.Tags, first.Price = nil, nil, []string{}, 5
	require.NoError(t, repo.Save(ctx, first))
	stored(t, repo, first)
	require.NoError(t, repo.SaveAll(ctx, "acme", []forms.Article{article(2), article(3)}))
	imported, err := repo.Import(ctx, "acme", []forms.Article{article(4), article(5)})
	require.NoError(t, err)
	require.EqualValues(t, 2, imported)
	stored(t, repo, article(5))
	require.NoError(t, repo.SaveAll(ctx, "acme", nil))

	n, err := repo.Count(ctx, "acme")
	require.NoError(t, err)
	require.EqualValues(t, 5, n)
	require.NoError(t, repo.Rename(ctx, "acme", 2, "Second"))
	one, found, err := repo.Find(ctx, "acme", "Second")
	require.NoError(t, err)
	require.True(t, found)
	require.EqualValues(t, 2, one.ID)
	rank, err := repo.Raise(ctx, "acme", 2, 4)
	require.NoError(t, err)
	require.EqualValues(t, 7, rank)
	ranks, err := repo.Ranks(ctx, "acme", []int64{1, 2})
	require.NoError(t, err)
	require.Equal(t, []forms.Rank{3, 7}, ranks)
	headings, err := repo.Headings(ctx, "acme")
	require.NoError(t, err)
	require.Equal(t, forms.Heading{ID: 2, Title: "Second"}, headings[1])
	titles, err := repo.Titles(ctx, "acme")
	require.NoError(t, err)
	require.Len(t, titles, 5)
	list, err := repo.List(ctx, "acme", 3, 1)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Empty(t, forms.DiffArticle(article(4), *list[0]))
	after := int64(3)
	keys, err := repo.Keys(ctx, "acme", &after, 10)
	require.NoError(t, err)
	require.Equal(t, []int64{4, 5}, keys)
	keys, err = repo.Keys(ctx, "acme", nil, 2)
	require.NoError(t, err)
	require.Equal(t, []int64{1, 2}, keys)
	seen := 0
	require.NoError(t, repo.Each(ctx, "acme", func(forms.Article) error { seen++; return nil }))
	require.Equal(t, 5, seen)

	archived, err := repo.Archive(ctx, "acme", first.Written.Add(time.Second))
	require.NoError(t, err)
	require.Equal(t, 5, archived)
	require.NoError(t, repo.Lock(ctx, "acme", 1))
	require.NoError(t, repo.DeleteAll(ctx, "acme", 1, 2))
	require.NoError(t, repo.Delete(ctx, "acme", 3))
	require.NoError(t, repo.Purge(ctx, "acme"))
	require.NoError(t, repo.Purge(ctx, "acme"), "by predicate: no row is no error")
	bad := article(9)
	bad.Status = "unheard of"
	require.Error(t, repo.SaveAll(ctx, "acme", []forms.Article{article(8), bad}), "the first error of a batch is kept")
}

func stored(t *testing.T, repo forms.Articles, want forms.Article) {
	t.Helper()
	got, err := repo.Get(t.Context(), want.Tenant, want.ID)
	require.NoError(t, err)
	assert.Empty(t, forms.DiffArticle(want, got))
}
