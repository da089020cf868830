// Package inner has one file of every kind.
package inner

import (
	"example.com/loaded"
	"strings"
)

var _ = strings.ToUpper(loaded.Name)
