// Package middle is sound and imports a package that does not compile.
package middle

import "github.com/crossfade-db/crossfade/gen/testdata/broken/mixin"

// Note holds a type of it.
type Note struct {
	Order mixin.Order
	Text  string
}
