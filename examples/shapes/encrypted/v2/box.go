package v2

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/crossfade-db/crossfade/examples/shapes/encrypted"
	"github.com/crossfade-db/crossfade/examples/shapes/encrypted/v2/queries"
	"github.com/crossfade-db/crossfade/repo/postgres"
)

// Factory returns version 2 with the application's key, of 32 random bytes. The sides of a routed repository take it
// where others take New.
func Factory(key []byte) (postgres.Factory[encrypted.Patients], error) {
	m, err := newMapping(key)
	if err != nil {
		return nil, err
	}
	return func(db postgres.DBTX) encrypted.Patients { return &Repository{q: queries.New(db), db: db, m: m} }, nil
}

func newMapping(key []byte) (mapping, error) {
	if len(key) != 32 {
		return mapping{}, fmt.Errorf("the key of version 2 has %d bytes: give it 32", len(key))
	}
	hashKey, err := hkdf.Expand(sha256.New, key, "patients email hash", 32)
	if err != nil {
		return mapping{}, fmt.Errorf("derive the key of hashes: %w", err)
	}
	boxKey, err := hkdf.Expand(sha256.New, key, "patients email box", 32)
	if err != nil {
		return mapping{}, fmt.Errorf("derive the key of boxes: %w", err)
	}
	block, err := aes.NewCipher(boxKey)
	if err != nil {
		return mapping{}, fmt.Errorf("derive the key of boxes: %w", err)
	}
	box, err := cipher.NewGCM(block)
	return mapping{hashKey: hashKey, box: box}, err
}

var (
	errNoKey = errors.New("version 2 has no key: make it by Factory")
	errBox   = errors.New("an email address cannot be decrypted: it has another key, or was moved or damaged")
)

// hash is what an address is found by. It differs from tenant to tenant.
func (m mapping) hash(tenant uuid.UUID, email string) ([]byte, error) {
	if m.box == nil {
		return nil, errNoKey
	}
	if err := encrypted.CheckEmail(email); err != nil {
		return nil, err
	}
	h := hmac.New(sha256.New, m.hashKey)
	h.Write(tenant[:])
	h.Write([]byte(email))
	return h.Sum(nil), nil
}

// seal puts an address into a box of its row: a nonce, and what is encrypted.
func (m mapping) seal(tenant, id uuid.UUID, email string) ([]byte, error) {
	if m.box == nil {
		return nil, errNoKey
	}
	nonce := make([]byte, m.box.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return nil, fmt.Errorf("make a nonce: %w", err)
	}
	return m.box.Seal(nonce, nonce, []byte(email), append(tenant[:], id[:]...)), nil
}

func (m mapping) open(tenant, id uuid.UUID, box []byte) (string, error) {
	switch {
	case m.box == nil:
		return "", errNoKey
	case len(box) < m.box.NonceSize():
		return "", errBox
	}
	nonce, sealed := box[:m.box.NonceSize()], box[m.box.NonceSize():]
	email, err := m.box.Open(nil, nonce, sealed, append(tenant[:], id[:]...))
	if err != nil {
		return "", errBox
	}
	return string(email), nil
}
