// Package loaded is the root of a module that tests load.
package loaded

// Name is imported by another package.
const Name = "loaded"
