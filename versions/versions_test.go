package versions_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/crossfade-db/crossfade/versions"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMigrationsLeadFromEachVersionToTheNext(t *testing.T) {
	r, err := versions.New("customers", "v1", "v2", "v2_1")
	require.NoError(t, err)
	assert.Equal(t, "customers", r.Entity())
	assert.Equal(t, []string{"v1", "v2", "v2_1"}, r.Versions())

	m, err := r.Migration("v1", "v2")
	require.NoError(t, err)
	assert.Equal(t, versions.Migration{Name: "customers-v2", Entity: "customers", From: "v1", To: "v2"}, m)
	m, err = r.Last()
	require.NoError(t, err)
	assert.Equal(t, versions.Migration{Name: "customers-v2_1", Entity: "customers", From: "v2", To: "v2_1"}, m)
}

func TestBadNamesAreRefusedByName(t *testing.T) {
	long := strings.Repeat("a", 39)
	_, err := versions.New(long, long)
	require.NoError(t, err, "the longest names")

	for name, c := range map[string]struct {
		entity   string
		versions []string
		says     string
	}{
		"no entity":          {"", []string{"v1"}, "the entity's name must match"},
		"upper case":         {"Customers", []string{"v1"}, "the entity's name must match"},
		"hyphen":             {"customers-eu", []string{"v1"}, "the entity's name must match"},
		"begins with digit":  {"2customers", []string{"v1"}, "the entity's name must match"},
		"too long":           {long + "a", []string{"v1"}, "the entity's name must match"},
		"ends with a line":   {"customers\n", []string{"v1"}, "the entity's name must match"},
		"no version":         {"customers", nil, "name at least one version"},
		"empty version":      {"customers", []string{"v1", ""}, `version "" must match`},
		"version with point": {"customers", []string{"v1.2"}, `version "v1.2" must match`},
		"version with quote": {"customers", []string{"v1", `v"2`}, `version "v\"2" must match`},
		"letter beyond a-z":  {"customers", []string{"v\u00e9"}, "must match"},
		"duplicate":          {"customers", []string{"v1", "v2", "v1"}, `version "v1" is named twice`},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := versions.New(c.entity, c.versions...)
			var bad *versions.Error
			require.ErrorAs(t, err, &bad)
			assert.Equal(t, c.entity, bad.Entity)
			assert.ErrorContains(t, err, c.says)
			assert.Nil(t, r)
		})
	}
}

func TestMigrationThatIsNotToTheNextVersionIsRefused(t *testing.T) {
	r := versions.Must(versions.New("customers", "v1", "v2", "v3"))
	for name, c := range map[string]struct{ from, to, says string }{
		"unknown from": {"v0", "v1", `version "v0" is not registered: known are v1, v2, v3`},
		"unknown to":   {"v3", "v4", `version "v4" is not registered: known are v1, v2, v3`},
		"gap":          {"v1", "v3", "v1 to v3 does not, the order is v1, v2, v3"},
		"backwards":    {"v2", "v1", "v2 to v1 does not"},
		"to itself":    {"v2", "v2", "v2 to v2 does not"},
		"nothing":      {"", "", `version "" is not registered`},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := r.Migration(c.from, c.to)
			var bad *versions.Error
			require.ErrorAs(t, err, &bad)
			assert.ErrorContains(t, err, "versions of customers: ")
			assert.ErrorContains(t, err, c.says)
			assert.Zero(t, m)
		})
	}
	_, err := versions.Must(versions.New("customers", "v1")).Last()
	assert.ErrorContains(t, err, "register the next one")
}

func TestMustPanicsOnAnErrorInTheSource(t *testing.T) {
	assert.PanicsWithError(t, "versions of customers: name at least one version", func() { versions.Must(versions.New("customers")) })
}

func TestRegistryNeverChanges(t *testing.T) {
	names := []string{"v1", "v2"}
	r := versions.Must(versions.New("customers", names...))
	names[0] = "changed"
	r.Versions()[1] = "changed"
	assert.Equal(t, []string{"v1", "v2"}, r.Versions())
}
