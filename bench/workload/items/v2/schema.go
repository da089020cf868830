package v2

import _ "embed"

// Schema is the SQL that makes the tables.
//
//go:embed schema.sql
var Schema string
