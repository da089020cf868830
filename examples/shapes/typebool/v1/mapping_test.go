package v1

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/crossfade-db/crossfade/examples/shapes/typebool"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAConsentIsTheSameThereAndBack(t *testing.T) {
	for _, consent := range []typebool.Consent{typebool.Given, typebool.Refused, typebool.Unasked} {
		given, err := boolOf(consent)
		require.NoError(t, err)
		assert.Equal(t, consent, consentOf(given))
	}
	yes, no := true, false
	for _, given := range []*bool{nil, &yes, &no} {
		back, err := boolOf(consentOf(given))
		require.NoError(t, err)
		assert.Equal(t, given, back)
	}
}

func TestAnyOtherConsentIsRefused(t *testing.T) {
	for _, consent := range []typebool.Consent{"", "later", "Given"} {
		_, err := boolOf(consent)
		assert.ErrorIs(t, err, errConsent)
	}
}
