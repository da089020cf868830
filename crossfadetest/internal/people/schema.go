package people

import _ "embed"

// Schema makes the tables of both versions.
//
//go:embed schema.sql
var Schema string
