// Package querydb stands for generated queries.
package querydb

// Row is a row.
type Row struct{ N int }

// Querier runs queries.
type Querier interface{ Rows() []Row }
