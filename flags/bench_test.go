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
	overrides.Overrides = overridden(1000)
	return map[string]flags.Policy{"uniform": uniform, "percentage": percentage, "overrides=1000": overrides, "keys": keys}
}

// overridden returns overrides of n tenants, whose names have 16 bytes.
func overridden(n int) map[string]flags.Stage {
	all := make(map[string]flags.Stage, n)
	for i := range n {
		all[tenantNumber(i)] = flags.Stages()[i%6]
	}
	return all
}

func tenantNumber(i int) string { return fmt.Sprintf("tenant-%09d", i) }

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

// BenchmarkDecisionAmongAMillion looks up one tenant again and again, whose
// override stays in the processor's cache, and tenants in no order, where the
// memory is what is measured.
func BenchmarkDecisionAmongAMillion(b *testing.B) {
	const tenants = 1_000_000
	p := measured()["percentage"]
	p.Overrides = overridden(tenants)
	set := setOf(b, p)
	flag := set.Flag(migration)
	b.Run("one", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			flag.Current().Stage(measuredTenant)
		}
	})
	for name, first := range map[string]int{"overridden": 0, "others": tenants} {
		const asked = 1 << 16
		subjects := make([]string, asked)
		for i := range subjects {
			subjects[i] = tenantNumber(first + i*7919%tenants)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				flag.Current().Stage(subjects[i%asked])
				i++
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
