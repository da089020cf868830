package v2

import (
	"bytes"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/examples/shapes/encrypted"
	"github.com/crossfade-db/crossfade/examples/shapes/encrypted/v2/queries"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEveryAddressComesOutOfItsBox(t *testing.T) {
	m, err := newMapping(bytes.Repeat([]byte{7}, 32))
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		p := encrypted.Patient{TenantID: uuid.New(), ID: uuid.New(), Email: rapid.String().Draw(t, "email")}
		hash, box, err := m.SaveParams(p)
		if encrypted.CheckEmail(p.Email) != nil {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		email, err := m.PatientFromRow(queries.Patient{TenantID: p.TenantID, ID: p.ID, EmailHash: hash, EmailBox: box})
		require.NoError(t, err)
		require.Equal(t, p.Email, email)
		sought, err := m.ByEmailParams(p.TenantID, p.Email)
		require.NoError(t, err)
		require.Equal(t, hash, sought)

		at := rapid.IntRange(0, len(box)-1).Draw(t, "damage")
		box[at] ^= 1
		_, err = m.PatientFromRow(queries.Patient{TenantID: p.TenantID, ID: p.ID, EmailBox: box})
		require.ErrorIs(t, err, errBox, "damage is noticed")
	})
}

func TestAnotherKeyOpensNothing(t *testing.T) {
	m, err := newMapping(bytes.Repeat([]byte{7}, 32))
	require.NoError(t, err)
	other, err := newMapping(bytes.Repeat([]byte{8}, 32))
	require.NoError(t, err)
	id := uuid.New()
	_, box, err := m.UpdateEmailParams(id, id, "ann@example.org")
	require.NoError(t, err)
	_, err = other.open(id, id, box)
	require.ErrorIs(t, err, errBox)
	_, err = m.open(id, id, box[:5])
	require.ErrorIs(t, err, errBox)
	_, err = mapping{}.open(id, id, box)
	assert.ErrorIs(t, err, errNoKey)
	_, _, err = mapping{}.SaveParams(encrypted.Patient{})
	assert.ErrorIs(t, err, errNoKey)
}
