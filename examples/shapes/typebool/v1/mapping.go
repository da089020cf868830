// Package v1 keeps a consent as a boolean, null for those who were never asked.
package v1

import (
	"errors"

	"github.com/google/uuid"

	"github.com/crossfade-db/crossfade/examples/shapes/typebool"
	"github.com/crossfade-db/crossfade/examples/shapes/typebool/v1/queries"
)

// mapping converts what typebool.Recipient and version v1 write differently.
type mapping struct{}

func (mapping) RecipientFromRow(row queries.Recipient) (typebool.Consent, error) {
	return consentOf(row.Consent), nil
}

func (mapping) SaveParams(r typebool.Recipient) (*bool, error) { return boolOf(r.Consent) }

func (mapping) SetConsentParams(_, _ uuid.UUID, consent typebool.Consent) (*bool, error) {
	return boolOf(consent)
}

func (mapping) ByConsentParams(_ uuid.UUID, consent typebool.Consent, _ int) (string, error) {
	return string(consent), nil // the query compares with what each boolean is called
}

var errConsent = errors.New("the consent of a recipient is none that there is")

func boolOf(consent typebool.Consent) (*bool, error) {
	given := consent == typebool.Given
	switch consent {
	case typebool.Given, typebool.Refused:
		return &given, nil
	case typebool.Unasked:
		return nil, nil
	}
	return nil, errConsent
}

func consentOf(given *bool) typebool.Consent {
	switch {
	case given == nil:
		return typebool.Unasked
	case *given:
		return typebool.Given
	}
	return typebool.Refused
}
