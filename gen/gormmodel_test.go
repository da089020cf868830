package gen

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"gorm.io/gorm/schema"
	"pgregory.net/rapid"
)

func TestColumnsAreThoseOfGORMsOwnStrategy(t *testing.T) {
	strategy := schema.NamingStrategy{}
	for _, name := range []string{"ID", "TenantID", "FullName", "HTTPServer", "A", "URLPath2", "UserIDs", "X1Y", "Name_2", "SHA256Sum", "a", "UTF8Name"} {
		assert.Equal(t, strategy.ColumnName("", name), gormColumn(name))
	}
	word := rapid.SampledFrom([]string{"ID", "Name", "URL", "a", "B", "1", "22", "HTTPS", "Api", "_", "Tenant", "UID", "x"})
	rapid.Check(t, func(t *rapid.T) {
		name := "F"
		for _, w := range rapid.SliceOfN(word, 0, 5).Draw(t, "words") {
			name += w
		}
		if want := strategy.ColumnName("", name); gormColumn(name) != want {
			t.Fatalf("%s is %s, and %s by GORM", name, gormColumn(name), want)
		}
	})
}
