package ledger_test

import (
	"context"
	"os"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/internal/pgtest"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/versions"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m, ledger.Migrate)) }

var customers = versions.Migration{Name: "customers-v2", Entity: "customers", From: "v1", To: "v2"}

// newStore returns a store on a fresh ledger that holds customers-v2.
func newStore(t *testing.T) (*ledger.Store, *pgxpool.Pool) {
	t.Helper()
	pool := pgtest.Pool(t)
	store := ledger.New(pool, nil)
	_, err := store.Register(context.Background(), customers, "")
	require.NoError(t, err)
	return store, pool
}
