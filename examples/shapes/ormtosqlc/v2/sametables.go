package v2

import (
	"context"

	"github.com/google/uuid"

	"github.com/crossfade-db/crossfade/examples/shapes/ormtosqlc"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/repo"
)

// SameTables returns a backend of two sides that are ways to the same rows: what the side with authority writes, the
// other side has.
func SameTables(sides repo.Backend[ormtosqlc.Listeners]) repo.Backend[ormtosqlc.Listeners] {
	return sameTables{sides}
}

type sameTables struct {
	repo.Backend[ormtosqlc.Listeners]
}

// Write has each write done once.
func (b sameTables) Write(
	ctx context.Context, s repo.Scope, look bool, fn func(context.Context, repo.Session[ormtosqlc.Listeners]) error,
) error {
	return b.Backend.Write(ctx, s, look, func(ctx context.Context, session repo.Session[ormtosqlc.Listeners]) error {
		return fn(ctx, once{session, s.Decision.Plan().Authority})
	})
}

// InTx is the same in a transaction in progress.
func (b sameTables) InTx(tx repo.Tx) (repo.Backend[ormtosqlc.Listeners], error) {
	inside, err := b.Backend.InTx(tx)
	return sameTables{inside}, err
}

// once is a session in which one side writes.
type once struct {
	repo.Session[ormtosqlc.Listeners]
	authority flags.Side
}

func (s once) Side(side flags.Side) ormtosqlc.Listeners {
	if side == s.authority {
		return s.Session.Side(side)
	}
	return written{s.Session.Side(side)}
}

// written reads as its version does, and writes nothing: the rows are written.
type written struct{ ormtosqlc.Listeners }

func (written) Save(context.Context, ormtosqlc.Listener) error                        { return nil }
func (written) Delete(context.Context, uuid.UUID, uuid.UUID) error                    { return nil }
func (written) AddCredit(context.Context, uuid.UUID, uuid.UUID, int64) (int64, error) { return 0, nil }
