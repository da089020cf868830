package splittable_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/crossfadetest"
	"github.com/crossfade-db/crossfade/examples/shapes/splittable"
)

func member(n byte, name string) splittable.Member {
	site := "https://example.org/" + name
	return splittable.Member{
		TenantID: tenant, ID: id(n), Email: name + "@example.org", JoinedAt: time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC),
		Name: name, Bio: "Hello.", Website: &site,
	}
}

var names = rapid.SampledFrom([]string{"ada", "Ada", ""})

// meeting has names found that were saved.
var meeting = []crossfadetest.Option{
	crossfadetest.Field("Member.Name", names),
	crossfadetest.Field("ByName.name", names),
}

// change is a value and what becomes of it.
func change() (before, after splittable.Member) {
	before, after = member(1, "ada"), member(1, "bea")
	after.Bio = "Gone."
	return before, after
}

// seed is what version 1 holds before the migration.
func seed(ctx context.Context, r splittable.Members) error {
	for n, name := range []string{"ada", "bea", "ada"} {
		if err := r.Save(ctx, member(byte(n+1), name)); err != nil {
			return err
		}
	}
	return nil
}

// story is a test of the application's own, which knows nothing about stages.
func story(t *testing.T, r splittable.Members) {
	ctx := t.Context()
	same(t, r, member(1, "ada"))
	named, err := r.ByName(ctx, tenant, "ada", 10)
	require.NoError(t, err)
	require.Len(t, named, 2)

	first, second := member(1, "ada"), member(4, "Cy O'Neil")
	require.NoError(t, r.Save(ctx, second))
	second.Website, second.Name = nil, ""
	require.NoError(t, r.Save(ctx, second))
	same(t, r, second)

	first.Email, first.Bio = "new@example.org", ""
	require.NoError(t, r.ChangeEmail(ctx, tenant, first.ID, first.Email))
	require.NoError(t, r.ChangeBio(ctx, tenant, first.ID, first.Bio))
	same(t, r, first)
	locked, err := r.GetForUpdate(ctx, tenant, first.ID)
	require.NoError(t, err)
	require.Empty(t, splittable.DiffMember(first, locked))

	require.NoError(t, r.Delete(ctx, tenant, first.ID))
	_, err = r.Get(ctx, tenant, first.ID)
	require.ErrorIs(t, err, splittable.ErrNotFound)
	_, err = r.GetForUpdate(ctx, tenant, first.ID)
	require.ErrorIs(t, err, splittable.ErrNotFound)
	require.ErrorIs(t, r.ChangeEmail(ctx, tenant, first.ID, "x"), splittable.ErrNotFound)
	require.ErrorIs(t, r.ChangeBio(ctx, tenant, first.ID, "x"), splittable.ErrNotFound)
	require.ErrorIs(t, r.Delete(ctx, tenant, first.ID), splittable.ErrNotFound)

	require.NoError(t, r.Save(ctx, first), "the profile went with the member")
	same(t, r, first)
	keys, err := r.Keys(ctx, tenant, nil, 2)
	require.NoError(t, err)
	require.Equal(t, []uuid.UUID{id(1), id(2)}, keys)
	keys, err = r.Keys(ctx, tenant, &keys[1], 10)
	require.NoError(t, err)
	require.Equal(t, []uuid.UUID{id(3), id(4)}, keys)
}
