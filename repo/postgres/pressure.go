package postgres

import "github.com/crossfade-db/crossfade/flags"

// Plain returns a side outside of any transaction, for reads that need no
// session: each of its statements takes a connection of the pool.
func (b *sides[R]) Plain(side flags.Side) R { return b.direct[side] }
