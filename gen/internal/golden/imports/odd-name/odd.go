// Package strange has another name than its folder.
package strange

// ID is a key.
type ID string

// ErrNone says that there is no such row.
var ErrNone error = none{}

type none struct{}

func (none) Error() string { return "none" }
