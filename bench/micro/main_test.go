package micro_test

import (
	"os"
	"testing"

	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/ledger"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m, ledger.Migrate)) }
