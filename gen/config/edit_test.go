package config

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAddingKeepsCommentsAndOrder(t *testing.T) {
	c, err := Parse(FileName, []byte(shop))
	require.NoError(t, err)
	after, err := c.AddVersion("customers", NewVersion{Name: "v4", Package: "./internal/customers/v4", Queries: "./internal/customers/v4/queries"})
	require.NoError(t, err)
	const v3 = "        package: ./internal/customers/v3\n"
	assert.Equal(t, strings.Replace(shop, v3, v3+`      - name: v4
        package: ./internal/customers/v4
        sqlc: {package: ./internal/customers/v4/queries}
`, 1), string(after))

	c, err = Parse(FileName, after)
	require.NoError(t, err)
	assert.Equal(t, after, c.Source())
	after, err = c.AddVersion("orders", NewVersion{Name: "v1", Package: "./orders/v1", Model: "Order"})
	require.NoError(t, err)
	assert.Equal(t, string(c.Source())+"      - name: v1\n        package: ./orders/v1\n        gorm: {model: Order}\n", string(after))

	c, err = Parse(FileName, after)
	require.NoError(t, err)
	after, err = c.AddEntity(NewEntity{Name: "lines", Package: "./lines", Interface: "Lines"})
	require.NoError(t, err)
	assert.Equal(t, string(c.Source())+"  - name: lines\n    package: ./lines\n    interface: Lines\n    versions: # oldest first\n", string(after))
}

func TestAddingWhatCannotBeAdded(t *testing.T) {
	c, err := Parse(FileName, []byte(shop))
	require.NoError(t, err)
	_, err = c.AddVersion("nobody", NewVersion{Name: "v1", Package: "./v1"})
	require.ErrorContains(t, err, "no entity nobody")
	_, err = c.AddVersion("customers", NewVersion{Name: "v3", Package: "./v3"})
	require.ErrorContains(t, err, "the version v3 is there twice")
	_, err = c.AddVersion("customers", NewVersion{Name: "v4", Package: "./internal/customers/v3"})
	require.ErrorContains(t, err, "another version has the package")
	_, err = c.AddEntity(NewEntity{Name: "Orders", Package: "./orders2"})
	require.ErrorContains(t, err, "write orders")

	c, err = Parse(FileName, []byte("version: 1\nentities: [{name: a, package: ., versions: []}]\n"))
	require.NoError(t, err)
	_, err = c.AddVersion("a", NewVersion{Name: "v1", Package: "./v1"})
	require.ErrorContains(t, err, "add this yourself:\n\n- name: v1\n  package: ./v1")
}
