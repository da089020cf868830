//go:build !linux

package pgtest

// memoryFolder returns "": there is no memory file system that one could count on.
func memoryFolder() string { return "" }
