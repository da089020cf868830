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
	percentage   = "decision, percentage of tenants, names of 16 bytes"
	percentUUID  = "decision, percentage of tenants, names of 36 bytes"
	keyShare     = "decision, percentage of keys"
	thousand     = "decision, 1,000 overrides"
	million      = "decision, 1,000,000 overrides"
	millionWide  = "decision, 1,000,000 overrides, in no order"
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

// kind is one sort of policy, and of tenants that are asked for.
type kind struct {
	name string
	policy
	named  func(int) string // tenants' names
	asked  int              // how many tenants are asked for in turn, a power of two
	target float64          // nanoseconds
}

// policy is what flags of one kind or more have in common.
type policy struct {
	step      flags.Step
	overrides int
}

const (
	few  = 64      // tenants whose overrides stay in the processor's caches
	many = 1 << 16 // tenants of whose overrides, of a million, most are in no cache
)

func decided() []kind {
	some := flags.Step{To: flags.Live, Share: 2500}
	keys := flags.Step{To: flags.Live, Share: 2500, Of: flags.OfKeys}
	return []kind{
		{uniform, policy{}, tenantName, few, 5},
		{percentage, policy{step: some}, tenantName, few, 5},
		{percentUUID, policy{step: some}, uuidName, few, 5},
		{keyShare, policy{step: keys}, tenantName, few, 5},
		{thousand, policy{some, 1000}, tenantName, few, 25},
		{million, policy{some, 1_000_000}, tenantName, few, 25},
		{millionWide, policy{some, 1_000_000}, tenantName, many, 25},
	}
}

// tenantName of a tenant by number: 16 bytes, as names often are.
func tenantName(i int) string { return fmt.Sprintf("tenant-%09d", i) }

// uuidName of a tenant or a key by number: the 36 bytes of a uuid.
func uuidName(i int) string { return fmt.Sprintf("8f14e45f-ceea-467f-a8c5-%012d", i) }

// flag returns a flag of the policy, and the bytes that it keeps alive per override.
func (p policy) flag(scale int) (*flags.Flag, float64, error) {
	overrides := p.overrides / scale
	before := alive()
	made := flags.Policy{Migration: migration, Epoch: 1, ID: flags.NewPolicyID(), Default: flags.Shadow, Step: p.step}
	if overrides > 0 {
		made.Overrides = make(map[string]flags.Stage)
		for i := range overrides {
			made.Overrides[tenantName(i)] = flags.Stages()[i%len(flags.Stages())]
		}
	}
	set := flags.NewSet(nil)
	if err := set.Apply(made); err != nil {
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

// subjects are the tenants that are asked for in turn, drawn at random: where some have overrides, among those.
func (k kind) subjects(scale int) []flags.Subject {
	all := make([]flags.Subject, k.asked)
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same ones in every run
	for i := range all {
		all[i] = flags.Subject{Tenant: k.named(random.IntN(max(k.overrides/scale, 1000))), Key: uuidName(i)}
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
	made := map[policy]*flags.Flag{}
	for _, k := range decided() {
		flag, known := made[k.policy]
		if !known {
			var bytes float64
			if flag, bytes, err = k.flag(scale); err != nil {
				return result, err
			}
			made[k.policy] = flag
			if k.name == million {
				result.Facts = append(result.Facts, report.Fact{Name: perOverride, Unit: "bytes", Value: bytes})
				cfg.say("%s: %.0f bytes", perOverride, bytes)
			}
		}
		subjects := k.subjects(scale)
		loops = append(loops, deciding(k, flag, subjects, &failed), entering(ctx, k.name+inUse, flag, subjects, &failed))
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
		rows = append(rows, report.AtMost(k.name, report.Loopback, report.Nanos, row.Value, row.Noise, k.target))
		told = append(told, of(k.name+inUse))
		allocs = max(allocs, costs[k.name].allocs, costs[k.name+inUse].allocs)
	}
	rows = append(rows, report.AtMost(anyDecision, report.Loopback, report.Allocs, allocs, 0, 0))
	for _, name := range []string{openFeature, launchDarkly} {
		told = append(told, of(name), report.Of(name, report.Loopback, report.Allocs, costs[name].allocs, 0))
	}
	return append(rows, told...)
}

// deciding reads the stage off the policy in force. It is kept out of its caller,
// where the compiler's budget is used up and every call below would stay one, as
// in no application.
//
//go:noinline
func deciding(k kind, flag *flags.Flag, subjects []flags.Subject, failed *int) loop {
	position := 0 // the next turn goes on where the last one ended: where tenants are many, each is new to the caches
	ofTenant := func(n int) {
		var all flags.Stage
		tenants, last := subjects, len(subjects)-1
		from, to := position, position+n
		position = to
		for i := from; i < to; i++ {
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
		from, to := position, position+n
		position = to
		for i := from; i < to; i++ {
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
	position, last := 0, len(subjects)-1
	return loop{name, func(n int) {
		from, to := position, position+n
		position = to
		for i := from; i < to; i++ {
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
	subjects := kind{named: tenantName, asked: few}.subjects(1)
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
