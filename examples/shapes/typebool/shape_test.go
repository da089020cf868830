package typebool_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/examples/shapes/typebool"
)

// existingRows are in version 1 before the migration begins.
const existingRows = `insert into recipients_v1 (tenant_id, id, email, consent) values
	('00000000-0000-4000-8000-0000000000aa', '00000000-0000-4000-8000-000000000001', 'ada@example.org', true),
	('00000000-0000-4000-8000-0000000000aa', '00000000-0000-4000-8000-000000000002', 'bo@example.org', false),
	('00000000-0000-4000-8000-0000000000aa', '00000000-0000-4000-8000-000000000003', 'cy@example.org', null)`

func recipient(n byte, email string, consent typebool.Consent) typebool.Recipient {
	return typebool.Recipient{TenantID: tenant, ID: id(n), Email: email, Consent: consent}
}

// story is a test of the application's own, which knows nothing about stages.
func story(t *testing.T, r typebool.Recipients) {
	ctx := t.Context()
	same(t, r, recipient(1, "ada@example.org", typebool.Given))
	same(t, r, recipient(2, "bo@example.org", typebool.Refused))
	same(t, r, recipient(3, "cy@example.org", typebool.Unasked))

	require.NoError(t, r.Save(ctx, recipient(4, "di@example.org", typebool.Unasked)))
	found, err := r.ByConsent(ctx, tenant, typebool.Unasked, 10)
	require.NoError(t, err)
	assert.Equal(t, []typebool.Recipient{
		recipient(3, "cy@example.org", typebool.Unasked), recipient(4, "di@example.org", typebool.Unasked),
	}, found)
	found, err = r.ByConsent(ctx, tenant, "later", 10)
	require.NoError(t, err)
	assert.Empty(t, found, "nobody said so")
	require.NoError(t, r.SetConsent(ctx, tenant, id(3), typebool.Given))
	require.NoError(t, r.SetConsent(ctx, tenant, id(1), typebool.Unasked))
	same(t, r, recipient(3, "cy@example.org", typebool.Given))
	same(t, r, recipient(1, "ada@example.org", typebool.Unasked))
	require.Error(t, r.SetConsent(ctx, tenant, id(3), "later"), "version 1 has no place for it")
	require.Error(t, r.Save(ctx, recipient(5, "ed@example.org", "")))
	same(t, r, recipient(3, "cy@example.org", typebool.Given))

	require.NoError(t, r.Delete(ctx, tenant, id(1)))
	_, err = r.Get(ctx, tenant, id(1))
	require.ErrorIs(t, err, typebool.ErrNotFound)
	require.ErrorIs(t, r.SetConsent(ctx, tenant, id(1), typebool.Given), typebool.ErrNotFound)
	require.ErrorIs(t, r.Delete(ctx, tenant, id(1)), typebool.ErrNotFound)

	keys, err := r.Keys(ctx, tenant, nil, 1)
	require.NoError(t, err)
	assert.Equal(t, []uuid.UUID{id(2)}, keys)
	keys, err = r.Keys(ctx, tenant, &keys[0], 10)
	require.NoError(t, err)
	assert.Equal(t, []uuid.UUID{id(3), id(4)}, keys)
}
