package ledger_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/crossfade-db/crossfade/ledger"
)

func TestOnePersonOnTwoHostsIsOnePerson(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"ann", "ann", true},
		{"ann@laptop", "ann@bastion", true},
		{"Ann", "ann@bastion", true},
		{" ann @laptop", "ANN@bastion", true},
		{"ann@laptop", "ben@laptop", false},
		{"ann", "anna@laptop", false},
		{"@laptop", "@bastion", true}, // nobody can tell
		{"@laptop", "ann@laptop", false},
		{"ann@", "ann", true},
		{"", "ann", false},
	} {
		assert.Equal(t, c.same, ledger.SamePerson(c.a, c.b), "%q and %q", c.a, c.b)
		assert.Equal(t, c.same, ledger.SamePerson(c.b, c.a), "%q and %q", c.b, c.a)
	}
}
