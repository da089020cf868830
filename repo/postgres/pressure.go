package postgres

import "github.com/crossfade-db/crossfade/flags"

// Plain returns a side outside of any transaction, for reads that need no
// session: each of its statements takes a connection of the pool.
func (b *sides[R]) Plain(side flags.Side) R {
	if b.next != nil && side == flags.NewSide {
		return b.nextOut
	}
	return b.direct[side]
}

// Spare returns how many connections comparisons may still take: they leave an
// eighth of the pool to callers, and one connection at least, unless it has only
// one.
func (b *sides[R]) Spare() int {
	stat := b.db.pool.Stat()
	most := int(stat.MaxConns())
	kept := min(max(1, most/8), most-1)
	return most - int(stat.AcquiredConns()) - kept
}

// Pool tells backends on one pool of connections from those on others.
func (b *sides[R]) Pool() any { return b.db.pool }
