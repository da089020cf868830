package repo_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/crossfade-db/crossfade/repo"
)

func TestCompositeKeyComesApartAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.OneOf(rapid.String(), rapid.StringMatching(`[0-9:]{0,4}`)), 1, 5).Draw(t, "parts")
		got, err := repo.SplitKey(repo.CompositeKey(parts...), len(parts))
		require.NoError(t, err)
		require.Equal(t, parts, got)
	})
}

func TestCompositeKeysOfDifferentPartsDiffer(t *testing.T) {
	gen := rapid.SliceOfN(rapid.StringMatching(`[1:a]{0,3}`), 1, 3)
	rapid.Check(t, func(t *rapid.T) {
		a, b := gen.Draw(t, "a"), gen.Draw(t, "b")
		require.Equal(t, fmt.Sprintf("%q", a) == fmt.Sprintf("%q", b), repo.CompositeKey(a...) == repo.CompositeKey(b...))
	})
}

func TestSplitKeyRefusesWhatIsNoCompositeKey(t *testing.T) {
	for name, text := range map[string]string{
		"no length":         "abc",
		"empty":             "",
		"too short":         "5:abc",
		"another count":     "1:a1:b1:c",
		"signed length":     "+1:a1:b",
		"negative length":   "-1:a1:b",
		"leading zero":      "01:a1:b",
		"rest behind":       "1:a1:bx",
		"length of no part": "1:a:",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := repo.SplitKey(text, 2)
			require.Error(t, err)
			if text != "" && len(text) > 1 {
				assert.NotContains(t, err.Error(), text, "keys are data and stay out of errors")
			}
		})
	}
}

func TestSplitKeyIsTheOnlyInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`([0-3]:[a:1]{0,3}){1,3}`)).Draw(t, "text")
		for n := range 4 {
			if parts, err := repo.SplitKey(text, n); err == nil {
				require.Equal(t, text, repo.CompositeKey(parts...), "one key, one text")
			}
		}
	})
}

func TestKeyTextsDoNotAliasTheArgument(t *testing.T) {
	ids := []string{"a", "b"}
	texts := repo.KeyTexts(ids, func(id string) string { return id })
	ids[0] = "z"
	assert.Equal(t, []string{"a", "b"}, texts)
	assert.NotNil(t, repo.KeyTexts([]int(nil), func(int) string { return "" }))
}

func TestKeyErrorNamesOperationAndPath(t *testing.T) {
	err := fmt.Errorf("call: %w", &repo.KeyError{Op: repo.Op{Entity: "Customers", Method: "Save"}, Path: "c.ID"})
	var keyErr *repo.KeyError
	require.ErrorAs(t, err, &keyErr)
	assert.Equal(t, "Customers.Save: c.ID cannot be read: a pointer in the arguments is nil", keyErr.Error())
}
