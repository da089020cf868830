package flags_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/crossfade-db/crossfade/flags"
)

// measured are the policies whose decisions have a target: 5 ns uniform and by
// percentage, 25 ns with 1,000 overrides and by a percentage of keys.
func measured() map[string]flags.Policy {
	uniform, percentage, overrides := policy(1, flags.Shadow), policy(1, flags.Shadow), policy(1, flags.Shadow)
	percentage.Step = flags.Step{To: flags.Live, Share: 2500}
	overrides.Step = percentage.Step
	keys := ofKeys(1, flags.Shadow, flags.Live, 2500)
	overrides.Overrides = map[string]flags.Stage{}
	for i := range 1000 {
		overrides.Overrides[fmt.Sprintf("tenant-%09d", i)] = flags.Stages()[i%6]
	}
	return map[string]flags.Policy{"uniform": uniform, "percentage": percentage, "overrides=1000": overrides, "keys": keys}
}

const (
	measuredTenant = "tenant-000000500"                     // 16 bytes; overridden where anybody is
	measuredKey    = "8f14e45f-ceea-467f-a8c5-2d8f1c2d5a10" // a uuid
)

var measuredSubject = flags.Subject{Tenant: measuredTenant, Key: measuredKey}

func TestADecisionAllocatesNothing(t *testing.T) {
	for name, p := range measured() {
		t.Run(name, func(t *testing.T) {
			set := setOf(t, p)
			flag, ctx, subject := set.Flag(migration), t.Context(), measuredSubject
			use := func() {
				u, err := flag.Enter(ctx, subject)
				if err == nil {
					u.Done()
				}
			}
			assert.Zero(t, testing.AllocsPerRun(1000, use), "Enter and Done")
			assert.Zero(t, testing.AllocsPerRun(1000, func() { _, _ = flag.Peek(subject) }), "Peek")
			assert.Zero(t, testing.AllocsPerRun(1000, func() { flag.Current().Stage(measuredTenant) }), "Stage")
			assert.Zero(t, testing.AllocsPerRun(1000, func() { flag.Current().KeyStage(measuredTenant, measuredKey) }), "KeyStage")

			pinned, release := flags.Pin(ctx, 0)
			defer release()
			ctx = pinned
			assert.Zero(t, testing.AllocsPerRun(1000, use), "Enter and Done, pinned before")
		})
	}
}

func BenchmarkDecision(b *testing.B) {
	for _, name := range []string{"uniform", "percentage", "overrides=1000", "keys"} {
		set := setOf(b, measured()[name])
		flag, subject := set.Flag(migration), measuredSubject
		b.Run(name+"/stage", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				flag.Current().KeyStage(subject.Tenant, subject.Key)
			}
		})
		b.Run(name+"/enter", func(b *testing.B) {
			b.ReportAllocs()
			ctx := b.Context()
			for b.Loop() {
				use, err := flag.Enter(ctx, subject)
				if err != nil {
					b.Fatal(err)
				}
				use.Done()
			}
		})
	}
}

func BenchmarkPinnedDecision(b *testing.B) {
	set := setOf(b, measured()["percentage"])
	flag, subject := set.Flag(migration), flags.Subject{Tenant: measuredTenant}
	ctx, release := flags.Pin(b.Context(), 0)
	defer release()
	b.ReportAllocs()
	for b.Loop() {
		use, err := flag.Enter(ctx, subject)
		if err != nil {
			b.Fatal(err)
		}
		use.Done()
	}
}

func BenchmarkEnterOnAllCores(b *testing.B) {
	set := setOf(b, measured()["percentage"])
	flag, subject, ctx := set.Flag(migration), flags.Subject{Tenant: measuredTenant}, b.Context()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			use, err := flag.Enter(ctx, subject)
			if err != nil {
				b.Error(err)
				return
			}
			use.Done()
		}
	})
}
