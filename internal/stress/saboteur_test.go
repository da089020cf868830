package stress

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crossfade-db/crossfade/internal/accounts"
)

// saboteur cuts connections of the database until ctx ends.
func saboteur(ctx context.Context, keeper *pgxpool.Pool, random *rand.Rand) (cuts int) {
	const cut = `select pg_terminate_backend(pid) from (
		select pid from pg_stat_activity where datname = current_database() and application_name <> 'keeper' order by random() limit 1) one`
	for ctx.Err() == nil {
		accounts.Pause(ctx, time.Duration(random.IntN(500))*time.Millisecond)
		if _, err := keeper.Exec(ctx, cut); err == nil {
			cuts++
		}
	}
	return cuts
}
