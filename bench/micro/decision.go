package micro

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"

	"github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/isolated"

	"github.com/crossfade-db/crossfade/bench/peers"
	"github.com/crossfade-db/crossfade/bench/report"
	"github.com/crossfade-db/crossfade/flags"
)

var (
	errDiffer = errors.New("equal values differ")
	errDecide = errors.New("a decision failed or was another one than expected")
)

// Rows about decisions.
const (
	uniform      = "decision, uniform"
	percentage   = "decision, percentage of tenants"
	keyShare     = "decision, percentage of keys"
	thousand     = "decision, 1,000 overrides"
	million      = "decision, 1,000,000 overrides"
	anyDecision  = "decision, the most that any of them allocates"
	openFeature  = "OpenFeature SDK call"
	launchDarkly = "LaunchDarkly's migrator, old stage, empty functions"
	inUse        = ", kept in use from Enter to Done"
	perOverride  = "memory of an override, tenant's name included, of 1,000,000"
)

func decisionNames() []string {
	names := []string{anyDecision, openFeature, launchDarkly}
	for _, d := range decided() {
		names = append(names, d.name, d.name+inUse)
	}
	return names
}

const migration = "customers-v2"

// kind is one sort of policy.
type kind struct {
	name      string
	step      flags.Step
	overrides int
	target    float64 // nanoseconds; zero for none
}

func decided() []kind {
	some := flags.Step{To: flags.Live, Share: 2500}
	return []kind{
		{name: uniform, target: 5},
		{name: percentage, step: some, target: 5},
		{name: keyShare, step: flags.Step{To: flags.Live, Share: 2500, Of: flags.OfKeys}},
		{name: thousand, step: some, overrides: 1000, target: 25},
		{name: million, step: some, overrides: 1_000_000},
	}
}

// tenantName of a tenant by number: 16 bytes, as names often are.
func tenantName(i int) string { return fmt.Sprintf("tenant-%09d", i) }

// flag returns the flag of a policy of the kind, and the bytes that it keeps alive per override.
func (k kind) flag(scale int) (*flags.Flag, float64, error) {
	overrides := k.overrides / scale
	before := alive()
	p := flags.Policy{Migration: migration, Epoch: 1, ID: flags.NewPolicyID(), Default: flags.Shadow, Step: k.step}
	if overrides > 0 {
		p.Overrides = make(map[string]flags.Stage)
		for i := range overrides {
			p.Overrides[tenantName(i)] = flags.Stages()[i%len(flags.Stages())]
		}
	}
	set := flags.NewSet(nil)
	if err := set.Apply(p); err != nil {
		return nil, 0, err
	}
	grown := alive() - before
	return set.Flag(migration), grown / float64(max(overrides, 1)), nil
}

// alive returns the bytes of the heap that are in use.
func alive() float64 {
	runtime.GC()
	runtime.GC() // what finalizers held
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// subjects are the tenants that are asked for in turn, drawn at random: a few, or where there are a million overrides so
// many that most of them are in no cache of the processor. Their number is a power of two.
func (k kind) subjects(scale int) []flags.Subject {
	all := make([]flags.Subject, 64)
	overrides := k.overrides / scale
	if overrides > 1000 {
		all = make([]flags.Subject, 1<<16)
	}
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same ones in every run
	for i := range all {
		all[i] = flags.Subject{
			Tenant: tenantName(random.IntN(max(overrides, 1000))),
			Key:    fmt.Sprintf("8f14e45f-ceea-467f-a8c5-%012d", i),
		}
	}
	return all
}

// decisions measures the decision itself, by the compiled policy behind an atomic pointer; the same as a routed call makes
// it, which counts it as a use of the policy until Done; and what others ask for the same.
func decisions(ctx context.Context, cfg Config) (result Result, err error) {
	scale := 1
	if cfg.Quick {
		scale = 100
	}
	var loops []loop
	failed := 0
	for _, k := range decided() {
		flag, bytes, err := k.flag(scale)
		if err != nil {
			return result, err
		}
		subjects := k.subjects(scale)
		loops = append(loops, deciding(k, flag, subjects, &failed), entering(ctx, k.name+inUse, flag, subjects, &failed))
		if k.name == million {
			result.Facts = append(result.Facts, report.Fact{Name: perOverride, Unit: "bytes", Value: bytes})
			cfg.say("%s: %.0f bytes", perOverride, bytes)
		}
	}
	others, closeOthers, err := otherDeciders(ctx, &failed)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, closeOthers()) }()
	costs, err := timed(ctx, cfg.pace(), append(loops, others...))
	if err != nil {
		return result, err
	}
	if failed > 0 {
		return result, errDecide
	}
	result.Rows = decisionRows(cfg, costs)
	return result, nil
}

func decisionRows(cfg Config, costs map[string]cost) (rows []report.Row) {
	of := func(name string) report.Row {
		c := costs[name]
		cfg.say("%s: %.1f ns (noise %.1f), %.0f allocations", name, c.nanos.value, c.nanos.noise, c.allocs)
		return report.Of(name, report.Loopback, report.Nanos, c.nanos.value, c.nanos.noise)
	}
	allocs := 0.0
	var told []report.Row
	for _, k := range decided() {
		row := of(k.name)
		if k.target > 0 {
			rows = append(rows, report.AtMost(k.name, report.Loopback, report.Nanos, row.Value, row.Noise, k.target))
		} else {
			told = append(told, row)
		}
		told = append(told, of(k.name+inUse))
		allocs = max(allocs, costs[k.name].allocs, costs[k.name+inUse].allocs)
	}
	rows = append(rows, report.AtMost(anyDecision, report.Loopback, report.Allocs, allocs, 0, 0))
	for _, name := range []string{openFeature, launchDarkly} {
		told = append(told, of(name), report.Of(name, report.Loopback, report.Allocs, costs[name].allocs, 0))
	}
	return append(rows, told...)
}

// deciding reads the stage off the policy in force.
func deciding(k kind, flag *flags.Flag, subjects []flags.Subject, failed *int) loop {
	ofTenant := func(n int) {
		var all flags.Stage
		tenants, last := subjects, len(subjects)-1
		for i := range n {
			stage, _ := flag.Current().Stage(tenants[i&last].Tenant)
			all |= stage
		}
		if all == 0 {
			*failed++
		}
	}
	ofKey := func(n int) {
		var all flags.Stage
		keys, last := subjects, len(subjects)-1
		for i := range n {
			stage, _ := flag.Current().KeyStage(keys[i&last].Tenant, keys[i&last].Key)
			all |= stage
		}
		if all == 0 {
			*failed++
		}
	}
	if k.step.Of == flags.OfKeys {
		return loop{k.name, ofKey}
	}
	return loop{k.name, ofTenant}
}

// entering decides as package repo does: through the interface, with the policy in use until Done.
func entering(ctx context.Context, name string, flag flags.Decider, subjects []flags.Subject, failed *int) loop {
	last := len(subjects) - 1
	return loop{name, func(n int) {
		for i := range n {
			use, err := flag.Enter(ctx, subjects[i&last])
			if err != nil || !use.Stage.Valid() {
				*failed++
				continue
			}
			use.Done()
		}
	}}
}

// otherDeciders ask OpenFeature's client, whose provider is the same policy, and LaunchDarkly's migrator around functions
// that do nothing.
func otherDeciders(ctx context.Context, failed *int) ([]loop, func() error, error) {
	set := flags.NewSet(nil)
	step := flags.Step{To: flags.Live, Share: 2500}
	if err := set.Apply(flags.Policy{Migration: migration, Epoch: 1, ID: flags.NewPolicyID(), Default: flags.Shadow, Step: step}); err != nil {
		return nil, nil, err
	}
	api := isolated.NewAPI()
	if err := api.SetProviderAndWait(ctx, flags.NewProvider(set)); err != nil {
		return nil, nil, fmt.Errorf("set the OpenFeature provider: %w", err)
	}
	darkly, err := peers.NewLaunchDarkly(flags.Old)
	if err != nil {
		return nil, nil, errors.Join(err, api.Shutdown(ctx))
	}
	done := func() error { return errors.Join(darkly.Close(), api.Shutdown(context.WithoutCancel(ctx))) }
	nothing := func(_ context.Context, i int) (int, error) { return i, nil }
	migrated, err := peers.LaunchDarklyRead(darkly, tenantName(1), false, nothing, nothing, func(a, b int) bool { return a == b })
	if err != nil {
		return nil, nil, errors.Join(err, done())
	}
	client := api.NewClient()
	subjects := kind{}.subjects(1)
	return []loop{
		{openFeature, func(n int) {
			for i := range n {
				ec := openfeature.NewEvaluationContext(subjects[i%len(subjects)].Tenant, nil)
				details, err := client.StringValueDetails(ctx, migration, "", ec)
				if err != nil || details.Value == "" {
					*failed++
				}
			}
		}},
		{launchDarkly, func(n int) {
			for i := range n {
				if err := migrated(ctx, i); err != nil {
					*failed++
				}
			}
		}},
	}, done, nil
}
