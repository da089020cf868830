//go:build race

package model

// The race detector makes each state ten times as slow, and nothing here is
// concurrent: under it only the beginning of each world is explored.
const limit = 20_000
