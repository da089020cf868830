package workload

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crossfade-db/crossfade/backfill"
	"github.com/crossfade-db/crossfade/bench/workload/items"
	"github.com/crossfade-db/crossfade/bench/workload/items/v1"
	"github.com/crossfade-db/crossfade/bench/workload/items/v1captured"
	"github.com/crossfade-db/crossfade/bench/workload/items/v1orm"
	"github.com/crossfade-db/crossfade/bench/workload/items/v2"
	"github.com/crossfade-db/crossfade/bench/workload/items/v2split"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/repo/postgres"
	"github.com/crossfade-db/crossfade/repo/postgres/gormtx"
	"github.com/crossfade-db/crossfade/versions"
)

// State is where a migration stands, and with which sides. Each state has a migration of its own, so that all of them can
// be measured in one run.
type State string

// The states.
const (
	OldFenced   State = "old-fenced"   // nothing is known of capture: every write is fenced
	OldUnfenced State = "old-unfenced" // no capture is needed yet: writes need no fence
	OldCaptured State = "old-captured" // capture stands on the old side: writes need no fence
	OldORM      State = "old-orm"      // unfenced, GORM on the old side
	Dual        State = "dual"
	DualSplit   State = "dual-split" // the new side writes two statements that cannot be queued
	DualORM     State = "dual-orm"   // GORM on the old side
	Shadow      State = "shadow"
	Live        State = "live"       // reads look for stale keys
	LiveClean   State = "live-clean" // reads need not look
	RampDown    State = "rampdown"
	NewFenced   State = "new-fenced"
	NewUnfenced State = "new-unfenced"
)

// place is what makes a state.
type place struct {
	stage    flags.Stage
	standing flags.Standing
	old, new string // the versions of its sides
	captured bool
}

var places = map[State]place{
	OldFenced:   {stage: flags.Old},
	OldUnfenced: {stage: flags.Old, standing: flags.Standing{UnfencedOld: true}},
	OldCaptured: {stage: flags.Old, standing: flags.Standing{UnfencedOld: true}, old: "v1captured", captured: true},
	OldORM:      {stage: flags.Old, standing: flags.Standing{UnfencedOld: true}, old: "v1orm"},
	Dual:        {stage: flags.Dual},
	DualSplit:   {stage: flags.Dual, new: "v2split"},
	DualORM:     {stage: flags.Dual, old: "v1orm"},
	Shadow:      {stage: flags.Shadow},
	Live:        {stage: flags.Live},
	LiveClean:   {stage: flags.Live, standing: flags.Standing{Clean: true}},
	RampDown:    {stage: flags.RampDown},
	NewFenced:   {stage: flags.New},
	NewUnfenced: {stage: flags.New, standing: flags.Standing{UnfencedNew: true}},
}

// States returns all states, in the order of the ladder.
func States() []State {
	return []State{
		OldFenced, OldUnfenced, OldCaptured, OldORM, Dual, DualSplit, DualORM, Shadow, Live, LiveClean, RampDown,
		NewFenced, NewUnfenced,
	}
}

// migration is the state's own.
func (s State) migration() versions.Migration {
	return versions.Migration{Name: "items-" + string(s), Entity: "items", From: "v1", To: "v2"}
}

// factories returns how the state's sides are made.
func (s State) factories(orm *gormtx.Opener) (oldSide, newSide postgres.Factory[items.Items]) {
	all := map[string]postgres.Factory[items.Items]{
		"v1":         func(db postgres.DBTX) items.Items { return v1.New(db) },
		"v1captured": func(db postgres.DBTX) items.Items { return v1captured.New(db) },
		"v1orm":      func(db postgres.DBTX) items.Items { return v1orm.New(orm.DB(db)) },
		"v2":         func(db postgres.DBTX) items.Items { return v2.New(db) },
		"v2split":    func(db postgres.DBTX) items.Items { return v2split.New(db) },
	}
	or := func(name, otherwise string) string {
		if name == "" {
			return otherwise
		}
		return name
	}
	return all[or(places[s].old, "v1")], all[or(places[s].new, "v2")]
}

// publish puts the state's policy into force. The ledger is written past the control plane, which would ask for backfill,
// verification and a drained fleet before it granted such a stage: what is measured is a call under the policy, and not
// the way there. The rows of both sides are equal, as if all that had been done.
func (s State) publish(ctx context.Context, pool *pgxpool.Pool) error {
	store, p := ledger.New(pool, nil), places[s]
	m, err := store.Register(ctx, s.migration(), "")
	if err != nil {
		return err
	}
	if p.captured {
		capture := backfill.NewCapture(pool, &backfill.CaptureConfig{Complete: true})
		_, err := capture.Install(ctx, m.Name, flags.OldSide, false,
			backfill.CaptureTable{Schema: "bench", Table: "items_captured", Tenant: "tenant", Key: []string{"id"}})
		if err != nil {
			return err
		}
	}
	_, err = store.Change(ctx, m.Name, m.Epoch, func(state *ledger.State) (*ledger.Draft, error) {
		next := state.Current().Policy
		next.Default, next.Standing = p.stage, p.standing
		return &ledger.Draft{Next: next}, nil
	})
	if err != nil {
		return fmt.Errorf("put %s in its place: %w", s, err)
	}
	return nil
}
