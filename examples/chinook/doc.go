// Package chinook moves real data: the invoices of the Chinook sample database
// go from its own tables to deduplicated addresses, integer cents and line
// positions, while concurrent writers work on them. Its test is the program;
// see invoices for the entity and its two versions.
package chinook
