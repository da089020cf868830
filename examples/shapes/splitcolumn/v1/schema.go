// Package v1 keeps a person's name in one column.
package v1

import _ "embed"

// Schema is the SQL that makes the tables of version 1.
//
//go:embed schema.sql
var Schema string
