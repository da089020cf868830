package polymorphic_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/crossfadetest"
	"github.com/crossfade-db/crossfade/examples/shapes/polymorphic"
)

var (
	post  = polymorphic.Subject{Kind: polymorphic.Post, ID: id(21)}
	photo = polymorphic.Subject{Kind: polymorphic.Photo, ID: id(21)}
)

func comment(n byte, subject polymorphic.Subject) polymorphic.Comment {
	return polymorphic.Comment{
		TenantID: tenant, ID: id(n), Subject: subject, Body: "Nice.", WrittenAt: time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC),
	}
}

// meeting has subjects found that were saved, and others refused.
var meeting = []crossfadetest.Option{
	crossfadetest.OfType(rapid.SampledFrom([]polymorphic.Subject{post, photo, {Kind: polymorphic.Post, ID: id(22)}, {Kind: "video", ID: id(21)}})),
}

// change is a value and what becomes of it.
func change() (before, after polymorphic.Comment) {
	return comment(1, post), comment(1, photo)
}

// seed is what version 1 holds before the migration.
func seed(ctx context.Context, r polymorphic.Comments) error {
	for _, each := range []polymorphic.Comment{comment(1, post), comment(2, photo), comment(3, post)} {
		if err := r.Save(ctx, each); err != nil {
			return err
		}
	}
	return nil
}

// story is a test of the application's own, which knows nothing about stages.
func story(t *testing.T, r polymorphic.Comments) {
	ctx := t.Context()
	same(t, r, comment(1, post))
	same(t, r, comment(2, photo))
	require.NoError(t, r.Save(ctx, comment(4, photo)))
	require.NoError(t, r.ChangeSubject(ctx, tenant, id(4), post))
	same(t, r, comment(4, post))
	found, err := r.BySubject(ctx, tenant, post, 10)
	require.NoError(t, err)
	require.Len(t, found, 3)

	first := comment(1, photo)
	first.Body = ""
	require.NoError(t, r.Save(ctx, first))
	same(t, r, first)
	other := polymorphic.Subject{Kind: "video", ID: id(1)}
	require.ErrorIs(t, r.Save(ctx, comment(4, other)), polymorphic.ErrKind)
	require.ErrorIs(t, r.ChangeSubject(ctx, tenant, id(4), other), polymorphic.ErrKind)
	_, err = r.BySubject(ctx, tenant, other, 10)
	require.ErrorIs(t, err, polymorphic.ErrKind)
	locked, err := r.GetForUpdate(ctx, tenant, first.ID)
	require.NoError(t, err)
	require.Empty(t, polymorphic.DiffComment(first, locked))

	require.NoError(t, r.Delete(ctx, tenant, first.ID))
	_, err = r.Get(ctx, tenant, first.ID)
	require.ErrorIs(t, err, polymorphic.ErrNotFound)
	_, err = r.GetForUpdate(ctx, tenant, first.ID)
	require.ErrorIs(t, err, polymorphic.ErrNotFound)
	require.ErrorIs(t, r.Delete(ctx, tenant, first.ID), polymorphic.ErrNotFound)
	require.ErrorIs(t, r.ChangeSubject(ctx, tenant, first.ID, post), polymorphic.ErrNotFound)

	require.NoError(t, r.Save(ctx, first))
	same(t, r, first)
	keys, err := r.Keys(ctx, tenant, nil, 2)
	require.NoError(t, err)
	require.Equal(t, []uuid.UUID{id(1), id(2)}, keys)
	keys, err = r.Keys(ctx, tenant, &keys[1], 10)
	require.NoError(t, err)
	require.Equal(t, []uuid.UUID{id(3), id(4)}, keys)
}
