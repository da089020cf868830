// Package v2 keeps email addresses hashed and encrypted.
package v2

import (
	"crypto/cipher"

	"github.com/google/uuid"

	"github.com/crossfade-db/crossfade/examples/shapes/encrypted"
	"github.com/crossfade-db/crossfade/examples/shapes/encrypted/v2/queries"
)

// mapping hashes and encrypts. The zero one has no key.
type mapping struct {
	hashKey []byte
	box     cipher.AEAD
}

// PatientFromRow opens the box.
func (m mapping) PatientFromRow(row queries.Patient) (email string, err error) {
	return m.open(row.TenantID, row.ID, row.EmailBox)
}

// ByEmailParams makes the hash to look for.
func (m mapping) ByEmailParams(tenant uuid.UUID, email string) (emailHash []byte, err error) {
	return m.hash(tenant, email)
}

// SaveParams makes hash and box.
func (m mapping) SaveParams(p encrypted.Patient) (emailHash, emailBox []byte, err error) {
	return m.UpdateEmailParams(p.TenantID, p.ID, p.Email)
}

// UpdateEmailParams makes hash and box.
func (m mapping) UpdateEmailParams(tenant, id uuid.UUID, email string) (emailHash, emailBox []byte, err error) {
	if emailHash, err = m.hash(tenant, email); err != nil {
		return nil, nil, err
	}
	emailBox, err = m.seal(tenant, id, email)
	return emailHash, emailBox, err
}
