package control_test

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/versions"
)

// Everything that speaks against a step comes at once, before anything is
// changed. The rules are pure functions over what the ledger knows.
func ExampleCheck() {
	now := time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)
	state := &control.State{
		Migration: ledger.Migration{Migration: versions.Migration{Name: "customers-v2"}, Epoch: 2},
		Policies: []ledger.PolicyState{
			{Policy: flags.Policy{Migration: "customers-v2", Epoch: 1, Default: flags.Old}, DrainedAt: &now},
			{Policy: flags.Policy{Migration: "customers-v2", Epoch: 2, Default: flags.Dual}, CreatedAt: now.Add(-8 * time.Second)},
		},
		Whole: ledger.TenantState{BackfilledAt: &now, OldComplete: true},
		Processes: []ledger.Process{
			{Name: "shop", PID: 4711, Host: "web-3", Epoch: 1, HeartbeatAt: now.Add(-time.Second)},
		},
		At: now,
	}
	for _, block := range control.Check(state, flags.Policy{Default: flags.Shadow}) {
		fmt.Println(block)
	}
	// Output:
	// wait for the step before: shop[4711]@web-3 acts on epoch 1, which was replaced 8s ago (last heartbeat 1s ago)
	// tenants without a state of their own are not verified since the backfill: run `crossfade verify customers-v2`
}

// Two rungs at once are refused.
func ExampleStepError() {
	state := &control.State{
		Migration: ledger.Migration{Migration: versions.Migration{Name: "customers-v2"}},
		Policies:  []ledger.PolicyState{{Policy: flags.Policy{Migration: "customers-v2", Epoch: 1, Default: flags.Old}}},
	}
	blocks := control.Check(state, flags.Policy{Default: flags.Live})
	fmt.Println(&control.StepError{Migration: "customers-v2", Blocks: blocks})
	// Output: customers-v2: cannot step from old to live: go to dual first
}

func ExampleRules() {
	for _, rule := range control.Rules()[:3] {
		fmt.Println(rule.Sentence)
	}
	// Output:
	// A tenant moves from a rung to an adjacent one only.
	// No process acts on a policy that the ledger does not know.
	// The rungs of all policies that somebody may still act on, the current rung and the next one lie within two adjacent rungs.
}

// An operator's program steps up 5 % of the tenants, and waits until everybody
// has followed.
func ExamplePlane_Apply() {
	step := func(ctx context.Context, pool *pgxpool.Pool) error {
		plane := control.New(ledger.New(pool, nil), nil)
		share, err := flags.ParseShare("5%")
		if err != nil {
			return err
		}
		_, err = plane.Apply(ctx, control.Change{
			Migration: "customers-v2", Kind: control.SetPercentage, To: flags.Shadow, Share: share,
			Actor: "ann", Reason: "week 2 of the plan",
			Report: func(p control.Progress) { fmt.Println(p.Kind, p.Epoch) },
		})
		return err
	}
	_ = step
	// Output:
}

// An application joins the fleet at its start, decides by the member's flags,
// and leaves at its end.
func ExampleJoin() {
	run := func(ctx context.Context, pool *pgxpool.Pool) (err error) {
		member, err := control.Join(ctx, ledger.New(pool, nil), &control.MemberConfig{Migrations: []string{"customers-v2"}})
		if err != nil {
			return err
		}
		defer func() { err = member.Close(context.WithoutCancel(ctx)) }()
		use, err := member.Flag("customers-v2").Enter(ctx, flags.Subject{Tenant: "acme"})
		if err != nil {
			return err
		}
		defer use.Done()
		fmt.Println(use.Stage)
		return nil
	}
	_ = run
	// Output:
}
