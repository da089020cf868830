package v2

import _ "embed"

// Schema is the SQL that makes the tables of version 2.
//
//go:embed schema.sql
var Schema string
