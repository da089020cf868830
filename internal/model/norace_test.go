//go:build !race

package model

const limit = everyState
