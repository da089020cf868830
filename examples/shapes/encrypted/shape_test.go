package encrypted_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/crossfadetest"
	"github.com/crossfade-db/crossfade/examples/shapes/encrypted"
	"github.com/crossfade-db/crossfade/examples/shapes/encrypted/encryptedtest"
	v1 "github.com/crossfade-db/crossfade/examples/shapes/encrypted/v1"
	v2 "github.com/crossfade-db/crossfade/examples/shapes/encrypted/v2"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

func TestBothVersionsGiveTheSameAnswers(t *testing.T) {
	email := rapid.SampledFrom([]string{"ann@example.org", "", "Ann@example.org", "not\xffutf8", "zero\x00byte", "\u540d\u524d"})
	pool := crossfadetest.Postgres(t, tables)
	crossfadetest.Contract(t, pool, encryptedtest.Entity, v1.New, withKey, crossfadetest.Field("ByEmail.email", email), crossfadetest.Field("Patient.Email", email))
}

func TestEveryStageServesTheStory(t *testing.T) { crossfadetest.EachStage(t, app(seed), story) }

func TestMixedProcessesServeTheStory(t *testing.T) { crossfadetest.MixedFleet(t, app(seed), 3, story) }

// withKey is version 2 with the key of the tests.
var withKey = func() postgres.Factory[encrypted.Patients] {
	factory, err := v2.Factory([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		panic(err)
	}
	return factory
}()

func patient(n byte, name, email string) encrypted.Patient {
	id := uuid.MustParse("40000000-0000-4000-8000-000000000000")
	id[15] = n
	return encrypted.Patient{TenantID: tenant, ID: id, Name: name, Email: email}
}

var ann, bo = patient(1, "Ann", "home@example.org"), patient(2, "Bo", "home@example.org")

func seed(ctx context.Context, r encrypted.Patients) error {
	return errors.Join(r.Save(ctx, ann), r.Save(ctx, bo), r.Save(ctx, patient(3, "Cy", "")))
}

func story(t *testing.T, r encrypted.Patients) {
	ctx := t.Context()
	found, err := r.ByEmail(ctx, tenant, ann.Email)
	require.NoError(t, err)
	require.Equal(t, []encrypted.Patient{ann, bo}, found)

	moved := bo
	moved.Email = "Bo@example.org"
	require.NoError(t, r.UpdateEmail(ctx, tenant, bo.ID, moved.Email))
	got, err := r.GetForUpdate(ctx, tenant, bo.ID)
	require.NoError(t, err)
	require.Equal(t, moved, got)
	found, err = r.ByEmail(ctx, tenant, "bo@example.org")
	require.NoError(t, err)
	require.Empty(t, found, "another case is another address")
	found, err = r.ByEmail(ctx, tenant, moved.Email)
	require.NoError(t, err)
	require.Equal(t, []encrypted.Patient{moved}, found)

	require.Error(t, r.UpdateEmail(ctx, tenant, bo.ID, "zero\x00byte"))
	require.Error(t, r.Save(ctx, patient(4, "Di", "not\xffutf8")))
	require.ErrorIs(t, r.UpdateEmail(ctx, tenant, patient(4, "", "").ID, "x"), encrypted.ErrNotFound)
	require.NoError(t, r.Delete(ctx, tenant, ann.ID))
	_, err = r.Get(ctx, tenant, ann.ID)
	require.ErrorIs(t, err, encrypted.ErrNotFound)
	keys, err := r.Keys(ctx, tenant, nil, 10)
	require.NoError(t, err)
	assert.Equal(t, []uuid.UUID{bo.ID, patient(3, "", "").ID}, keys)
}

func TestTheDatabaseSeesNoAddress(t *testing.T) {
	ctx, pool := t.Context(), crossfadetest.Postgres(t, tables)
	r := withKey(pool)
	require.NoError(t, errors.Join(r.Save(ctx, ann), r.Save(ctx, bo)))
	var plain, boxes, hashes int
	require.NoError(t, pool.QueryRow(ctx, `
		select count(*) filter (where position('example'::bytea in email_box || email_hash) > 0),
		       count(distinct email_box), count(distinct email_hash) from patients_v2`).Scan(&plain, &boxes, &hashes))
	assert.Zero(t, plain)
	assert.Equal(t, 2, boxes, "boxes of one address differ")
	assert.Equal(t, 1, hashes, "and it is found by one hash")

	_, err := pool.Exec(ctx, "update patients_v2 set email_box = (select email_box from patients_v2 where name = 'Ann')")
	require.NoError(t, err)
	_, err = r.Get(ctx, tenant, bo.ID)
	require.Error(t, err, "a box that was moved to another row does not open")
	_, err = r.Get(ctx, tenant, ann.ID)
	require.NoError(t, err)
}

func TestVersion2WithoutAKeyWritesNothing(t *testing.T) {
	ctx, pool := t.Context(), crossfadetest.Postgres(t, tables)
	require.Error(t, v2.New(pool).Save(ctx, ann))
	_, err := withKey(pool).Get(ctx, tenant, ann.ID)
	require.ErrorIs(t, err, encrypted.ErrNotFound)
	_, err = v2.Factory([]byte("short"))
	require.Error(t, err)
}
