// Package scaffold makes what a user would otherwise begin by copying: a
// crossfade.yaml for an existing module ([Init]), and the package, the SQL and
// the entry of sqlc.yaml of a new version ([NewVersion]).
//
// Both return a [Plan], which says what would be made and makes it when it is
// applied. A plan never overwrites a user's file: it makes files that are not
// there, and adds to crossfade.yaml and sqlc.yaml, whose comments and order
// stay. What is there already is left alone, so that doing it twice does
// nothing, and what was interrupted is completed by doing it again.
//
// Go code is read as text that parses, never type-checked, so that a module
// need not compile. What is made is a beginning and is the user's from then on.
package scaffold
