package movetoparent_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/crossfade-db/crossfade/crossfadetest"
	"github.com/crossfade-db/crossfade/examples/shapes/movetoparent"
	v1 "github.com/crossfade-db/crossfade/examples/shapes/movetoparent/v1"
)

func TestLinesInSeveralCurrenciesCannotBeRead(t *testing.T) {
	ctx, pool := t.Context(), crossfadetest.Postgres(t, schema)
	orders := v1.New(pool)
	require.NoError(t, orders.Save(ctx, order(1, "X", one, two)))
	_, err := pool.Exec(ctx, "update order_lines_v1 set currency = 'Y' where line_no = 2")
	require.NoError(t, err)
	_, err = orders.Get(ctx, tenant, id(1))
	require.ErrorIs(t, err, movetoparent.ErrCurrencies)

	require.NoError(t, orders.ChangeCurrency(ctx, tenant, id(1), "Y"), "that is how it is put right")
	same(t, orders, order(1, "Y", one, two))
}
