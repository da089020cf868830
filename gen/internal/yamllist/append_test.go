package yamllist_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/crossfade-db/crossfade/gen/internal/yamllist"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAppendLeavesEverythingElseAsItIs(t *testing.T) {
	for _, c := range []struct{ name, before, after string }{
		{"behind the last element", "l:\n  - a: 1\n    b: 2\n", "l:\n  - a: 1\n    b: 2\n  - new: 1\n    x: 2\n"},
		{"without indent", "# top\nl: # of things\n- a: 1\nm: 2\n", "# top\nl: # of things\n- a: 1\n- new: 1\n  x: 2\nm: 2\n"},
		{"comments stay with their neighbours", "l:\n  - a: 1\n    # of a\n\n  # of l\n\n# of m\nm: 2\n", "l:\n  - a: 1\n    # of a\n  - new: 1\n    x: 2\n\n  # of l\n\n# of m\nm: 2\n"},
		{"nothing behind the key", "l:\n  # - hint\nm: 2\n", "l:\n  - new: 1\n    x: 2\n  # - hint\nm: 2\n"},
		{"an empty list", "l: [ ] # none\nm: 2\n", "l: # none\n  - new: 1\n    x: 2\nm: 2\n"},
		{"a written null", "l: ~\n", "l:\n  - new: 1\n    x: 2\n"},
		{"no line break at the end", "l:\n  - {a: 1}", "l:\n  - {a: 1}\n  - new: 1\n    x: 2\n"},
		{"no line break behind the key", "l:", "l:\n  - new: 1\n    x: 2\n"},
		{"a text of several lines", "l:\n  - a: |\n      one\n\n      two\n    b: \"x\n      - y\"\n", "l:\n  - a: |\n      one\n\n      two\n    b: \"x\n      - y\"\n  - new: 1\n    x: 2\n"},
		{"line breaks of Windows", "l:\r\n  - a\r\nm: 1\r\n", "l:\r\n  - a\r\n  - new: 1\r\n    x: 2\r\nm: 1\r\n"},
		{"wide dashes", "l:\n  -   a: 1\n      b: 2\nm: 1\n", "l:\n  -   a: 1\n      b: 2\n  - new: 1\n    x: 2\nm: 1\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			after, err := yamllist.Append([]byte(c.before), "- new: 1\n  x: 2\n", "l")
			require.NoError(t, err)
			assert.Equal(t, c.after, string(after))
		})
	}
}

func TestAppendBelowElements(t *testing.T) {
	before := "e:\n  - name: a\n    v:\n      - one\n  - name: b\n    v: []\n"
	after, err := yamllist.Append([]byte(before), "- two", "e", 0, "v")
	require.NoError(t, err)
	assert.Equal(t, "e:\n  - name: a\n    v:\n      - one\n      - two\n  - name: b\n    v: []\n", string(after))
	after, err = yamllist.Append([]byte(before), "- two", "e", 1, "v")
	require.NoError(t, err)
	assert.Equal(t, "e:\n  - name: a\n    v:\n      - one\n  - name: b\n    v:\n      - two\n", string(after))
}

func TestAppendRefusesWhereItCannotBeSure(t *testing.T) {
	for _, text := range []string{
		"", "l: [a]\n", "{l: []}\n", "x: &x [a]\nl: *x\n", "x: &x\n  - a\nl: *x\n", "l: text\n", "m: 1\n", "- l\n", "l:\n  []\n", "l: [\n  ]\n", "{",
	} {
		_, err := yamllist.Append([]byte(text), "- two", "l")
		assert.Error(t, err, text)
	}
	_, err := yamllist.Append([]byte("l:\n  - a\n"), "two", "l")
	require.ErrorIs(t, err, yamllist.ErrForm, "what is added must be an element")
}
