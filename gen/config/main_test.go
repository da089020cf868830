package config

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "write golden files and docs/crossfade.schema.json again")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
