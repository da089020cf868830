package stress

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/crossfade-db/crossfade/flags"
)

// late is a decider of operations that arrive long after they were decided, and
// for which nobody waits any more: as those of a process that was stopped until
// its lease had run out. Only the fence stands between them and the data.
type late struct{ flags.Decider }

// delay is how late an operation is, once, and how long it then stays in its
// transaction.
type delay struct {
	by, stay     time.Duration
	done, stayed atomic.Bool
}

type delayKey struct{}

func withDelay(ctx context.Context, by, stay time.Duration) context.Context {
	return context.WithValue(ctx, delayKey{}, &delay{by: by, stay: stay})
}

// stay keeps a delayed operation in its transaction.
func stay(ctx context.Context) {
	if d, _ := ctx.Value(delayKey{}).(*delay); d != nil && !d.stayed.Swap(true) {
		pause(ctx, d.stay)
	}
}

func (l late) Enter(ctx context.Context, s flags.Subject) (flags.Use, error) {
	d, _ := ctx.Value(delayKey{}).(*delay)
	if d == nil || d.done.Swap(true) {
		return l.Decider.Enter(ctx, s)
	}
	use, err := l.Decider.Enter(context.Background(), s) // no pin holds it either
	if err != nil {
		return use, err
	}
	use.Done()
	pause(ctx, d.by)
	return flags.Use{Decision: use.Decision}, nil
}
