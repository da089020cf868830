package flags_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/isolated"
	"github.com/open-feature/go-sdk/openfeature/memprovider"

	"github.com/crossfade-db/crossfade/flags"
)

// A policy puts everybody at shadow, a tenth of the tenants at live, and one
// tenant back at dual.
func examplePolicy(epoch int64) flags.Policy {
	return flags.Policy{
		Migration: "customers-v2", Epoch: epoch, ID: flags.NewPolicyID(),
		Default:   flags.Shadow,
		Step:      flags.Step{To: flags.Live, Share: 1000},
		Overrides: map[string]flags.Stage{"acme": flags.Dual},
	}
}

func Example() {
	set := flags.NewSet(nil) // in a program the fleet's member fills it from the ledger
	if err := set.Apply(examplePolicy(7)); err != nil {
		fmt.Println(err)
		return
	}
	use, err := set.Flag("customers-v2").Enter(context.Background(), flags.Subject{Tenant: "acme"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer use.Done()
	plan := use.Stage.Plan()
	fmt.Println(use.Stage, use.Reason, use.Epoch)
	fmt.Println("answers come from the", plan.Authority, "side; writes both:", plan.WritesBoth)
	// Output:
	// dual override 7
	// answers come from the old side; writes both: true
}

// A request decides once, although the policy changes while it runs.
func ExamplePin() {
	set := flags.NewSet(nil)
	flag, acme := set.Flag("customers-v2"), flags.Subject{Tenant: "acme"}
	step := func(epoch int64, stage flags.Stage) {
		if err := set.Apply(flags.Policy{Migration: "customers-v2", Epoch: epoch, ID: flags.NewPolicyID(), Default: stage}); err != nil {
			fmt.Println(err)
		}
	}
	decide := func(ctx context.Context) {
		use, err := flag.Enter(ctx, acme)
		if err != nil {
			fmt.Println(err)
			return
		}
		defer use.Done()
		fmt.Println(use.Stage)
	}

	step(1, flags.Shadow)
	request, release := flags.Pin(context.Background(), 0)
	decide(request)
	step(2, flags.Live)
	decide(request)
	fmt.Println("acknowledged:", set.Oldest()[0].Epoch)
	release()
	fmt.Println("acknowledged:", set.Oldest()[0].Epoch)
	// Output:
	// shadow
	// shadow
	// acknowledged: 1
	// acknowledged: 2
}

// The control plane refuses a change while a tenant could meet stages that do
// not get along.
func ExampleSpan() {
	at := func(stage flags.Stage) flags.Policy { return flags.Policy{Migration: "customers-v2", Default: stage} }
	notYetDrained, current, next := at(flags.Old), at(flags.Dual), at(flags.Shadow)
	low, high, _, err := flags.Span(notYetDrained, current, next)
	fmt.Println(low, high, low.Adjacent(high), err)
	low, high, _, err = flags.Span(current, next)
	fmt.Println(low, high, low.Adjacent(high), err)
	// Output:
	// old shadow false <nil>
	// dual shadow true <nil>
}

func ExampleParseShare() {
	for _, text := range []string{"12.5%", "0.001"} {
		share, err := flags.ParseShare(text)
		fmt.Println(int(share), err)
	}
	// Output:
	// 1250 <nil>
	// 0 percentage "0.001": use 0 to 100 with at most two decimals, such as 12.5 or 0.01
}

// Any OpenFeature client sees the granted stages.
func ExampleNewProvider() {
	ctx := context.Background()
	set := flags.NewSet(nil)
	if err := set.Apply(examplePolicy(7)); err != nil {
		fmt.Println(err)
		return
	}
	api := isolated.NewAPI()
	defer func() { _ = api.Shutdown(ctx) }()
	if err := api.SetProviderAndWait(ctx, flags.NewProvider(set), openfeature.WithDomain("crossfade")); err != nil {
		fmt.Println(err)
		return
	}
	client := api.NewClient(openfeature.WithDomain("crossfade"))
	details, err := client.StringValueDetails(ctx, "customers-v2", "", openfeature.NewEvaluationContext("acme", nil))
	fmt.Println(details.Value, details.Reason, details.FlagMetadata[flags.MetadataEpoch], err)
	// Output: dual TARGETING_MATCH 7 <nil>
}

// Through runs the hooks of a client, and decides as the flag alone does.
func ExampleThrough() {
	ctx := context.Background()
	set := flags.NewSet(nil)
	if err := set.Apply(examplePolicy(7)); err != nil {
		fmt.Println(err)
		return
	}
	api := isolated.NewAPI()
	defer func() { _ = api.Shutdown(ctx) }()
	if err := api.SetProviderAndWait(ctx, flags.NewProvider(set)); err != nil {
		fmt.Println(err)
		return
	}
	client := api.NewClient()
	client.AddHooks(printing{})
	use, err := flags.Through(client, set.Flag("customers-v2"), nil).Enter(ctx, flags.Subject{Tenant: "acme"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer use.Done()
	fmt.Println("decided:", use.Stage, use.Epoch)
	// Output:
	// hook: customers-v2 dual
	// decided: dual 7
}

type printing struct{ openfeature.UnimplementedHook }

func (printing) After(_ context.Context, hc openfeature.HookContext, d openfeature.InterfaceEvaluationDetails, _ openfeature.HookHints) error {
	fmt.Println("hook:", hc.FlagKey(), d.Value)
	return nil
}

// A test decides from any provider. What is no stage is an error that says so.
func ExampleUnguarded() {
	ctx := context.Background()
	provider := memprovider.NewInMemoryProvider(map[string]memprovider.InMemoryFlag{
		"customers-v2": {State: memprovider.Enabled, DefaultVariant: "v", Variants: map[string]any{"v": "live"}},
		"orders-v2":    {State: memprovider.Enabled, DefaultVariant: "v", Variants: map[string]any{"v": "blue"}},
	})
	api := isolated.NewAPI()
	defer func() { _ = api.Shutdown(ctx) }()
	if err := api.SetProviderAndWait(ctx, provider); err != nil {
		fmt.Println(err)
		return
	}
	for _, migration := range []string{"customers-v2", "orders-v2"} {
		use, err := flags.Unguarded(api.NewClient(), migration, nil).Enter(ctx, flags.Subject{Tenant: "acme"})
		var bad *flags.FlagError
		if errors.As(err, &bad) {
			fmt.Println(bad)
			continue
		}
		fmt.Println(use.Stage, use.Reason, use.Guarded())
		use.Done()
	}
	// Output:
	// live unguarded false
	// flag "orders-v2" = "blue": the value is no stage: unknown stage "blue": use one of old, dual, shadow, live, rampdown, new
}

// A table of overrides never changes: an edit makes another one that shares
// with it what stays, so that one tenant among a million costs what one costs.
func ExampleOverrides_Edit() {
	var b flags.OverridesBuilder
	b.Put([]byte("acme"), flags.Dual)
	b.Put([]byte("globex"), flags.Dual)
	before, err := b.Done()
	if err != nil {
		panic(err)
	}
	edit := before.Edit()
	edit.Put("acme", flags.Shadow)
	edit.Remove("globex")
	after, err := edit.Done()
	if err != nil {
		panic(err)
	}
	was, _ := before.Stage("acme")
	is, _ := after.Stage("acme")
	fmt.Println(was, is, before.Len(), after.Len())
	// Output: dual shadow 2 1
}
