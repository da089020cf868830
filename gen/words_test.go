package gen

import (
	"go/token"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestNamesAreMadeForReaders(t *testing.T) {
	for in, want := range map[string]string{
		"id": "ID", "ids": "IDs", "userId": "UserID", "url": "URL", "limit": "Limit", "_x": "Arg_x", "имя": "Имя", "数": "Arg数",
	} {
		assert.Equal(t, want, fieldName(in))
		assert.True(t, token.IsExported(fieldName(in)), in)
	}
	for in, want := range map[string]string{"Customers": "customers", "APIKeys": "apiKeys", "ID": "id", "X": "x", "orders": "orders"} {
		assert.Equal(t, want, lowerFirst(in))
	}
	for in, want := range map[string]string{"OrderLine": "order line", "APIKey": "api key", "Customer": "customer", "UUID": "uuid"} {
		assert.Equal(t, want, words(in))
	}
	for in, want := range map[string]string{"customer": "customers", "entry": "entries", "key": "keys", "address": "addresses", "box": "boxes"} {
		assert.Equal(t, want, plural(in))
	}
}

func TestDurationsAreWrittenInTheLargestUnit(t *testing.T) {
	for in, want := range map[time.Duration]string{
		0: "0", time.Second: "time.Second", 90 * time.Second: "90 * time.Second", 2 * time.Hour: "2 * time.Hour",
		1500 * time.Microsecond: "1500 * time.Microsecond", 1: "time.Nanosecond",
	} {
		assert.Equal(t, want, durationCode("time", in))
	}
}

func TestInternalPackagesAreImportedFromTheirTreeOnly(t *testing.T) {
	for _, c := range []struct {
		path, from string
		want       bool
	}{
		{"a/b", "x", true},
		{"a/internal/b", "a/c", true},
		{"a/internal", "a", true},
		{"a/internal/b", "ab/c", false},
		{"a/internal/b", "x", false},
		{"a/internal/b/internal/c", "a/internal/d", false},
		{"internal/abi", "a", false},
		{"a/internally/b", "x", true},
	} {
		assert.Equal(t, c.want, importable(c.path, c.from), "%s from %s", c.path, c.from)
	}
}

func TestImportNamesThatReadersExpectAreNotSpelledOut(t *testing.T) {
	for path, want := range map[string]string{
		"github.com/google/uuid": "uuid", "github.com/jackc/pgx/v5": "pgx", "shop/v1": "v1", "a.b/c/v1": "v1", "fmt": "fmt",
	} {
		assert.Equal(t, want, assumedName(path))
	}
}

func TestDirectivesAreTotal(t *testing.T) {
	word := rapid.SampledFrom([]string{
		"//crossfade:", "read", "write", "key=", "keys=", "id", "all", "=", ",", "[]", "()", ".", " ", "\t", " // note", "unordered", "by=", "entity", "x",
	})
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(word).Draw(t, "words"), "")
		d, ok, err := parseDirective(text, token.Position{})
		if ok {
			require.NoError(t, err)
			require.Contains(t, grammar, d.verb)
			for _, a := range d.args {
				require.NotEmpty(t, a.name)
			}
		}
	})
	_, ok, err := parseDirective("//crossfade: read key=id", token.Position{})
	assert.False(t, ok)
	require.ErrorContains(t, err, "without a verb")
	d, ok, err := parseDirective("//crossfade:read  key=a,b key=c // by hand", token.Position{})
	require.NoError(t, err)
	require.True(t, ok)
	assert.Equal(t, []arg{{"key", "a,b"}, {"key", "c"}}, d.args)
	_, ok, err = parseDirective("// prose about crossfade:read", token.Position{})
	assert.False(t, ok)
	assert.NoError(t, err)
}

func TestTagsAreTotal(t *testing.T) {
	item := rapid.SampledFrom([]string{
		"-", "ignore", "safe", "nilempty", "decimal", "json", "unordered", "by=", "by=A.B", "within=", "within=1ms", "within=0", "within=0.5",
		"within=-1", "within=+Inf", "func=F", "func=", "", " ", "x",
	})
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(item).Draw(t, "items"), ",")
		tg, err := parseTag(`json:"x" compare:"` + text + `"`)
		if err != nil {
			return
		}
		require.False(t, tg.ignore && (tg.decimal || tg.unordered || tg.fn != ""))
		require.GreaterOrEqual(t, tg.tolerance, 0.0)
		require.GreaterOrEqual(t, tg.duration, time.Duration(0))
	})
	for _, none := range []string{"", `json:"x"`, `compare:""`, `compare:"  "`} {
		tg, err := parseTag(none)
		require.NoError(t, err)
		assert.Equal(t, tag{}, tg)
	}
}
