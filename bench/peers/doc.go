// Package peers wraps other ways to move an application between two schemas, so that they can be measured beside
// Crossfade on the same statements: LaunchDarkly's migrator, an experiment as GitHub's Scientist runs it, and a row
// trigger in PL/pgSQL that writes twice.
//
// Each peer is set up as a careful user of it would: nothing is switched on that costs time and is not needed, and
// nothing is switched off that its users rely on. LaunchDarkly's client reads its flags from memory, so that no network
// of its own is in the figures.
//
// The package never measures anything by itself, and nothing here is for production.
package peers

import "context"

// Variant is one operation of a peer; i counts operations and chooses the row. It may be called by any number of
// goroutines at once where the functions under it may.
type Variant = func(ctx context.Context, i int) error

// Read reads the row of operation i from one side.
type Read[T any] func(ctx context.Context, i int) (T, error)

// Write writes the row of operation i to one side.
type Write func(ctx context.Context, i int) error
