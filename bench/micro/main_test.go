package micro_test

import (
	"os"
	"testing"

	"github.com/crossfade-db/crossfade/internal/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
