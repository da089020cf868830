package main

import (
	"time"

	"github.com/crossfade-db/crossfade/control"
	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// The forms in which values are printed as JSON. Times are UTC, shares are
// percentages, durations are seconds.

type policyJSON struct {
	Epoch   int64                  `json:"epoch,omitempty"` // absent: it was never in force
	ID      string                 `json:"id,omitempty"`
	Default flags.Stage            `json:"default"`
	Step    *stepJSON              `json:"step,omitempty"`
	Pinned  map[string]flags.Stage `json:"pinned,omitempty"`
	// Holds is what the control plane found to hold: clean, strict-shadow,
	// unfenced-old, unfenced-new.
	Holds []string `json:"holds,omitempty"`
}

// holdings are what a policy can say to hold, and what that means.
var holdings = []struct {
	name, means string
	holds       func(flags.Standing) bool
}{
	{"clean", "no key at live is or can become stale: reads there do not look", func(s flags.Standing) bool { return s.Clean }},
	{"strict-shadow", "writes at shadow fail with their new side, until nobody reads without a look any more", func(s flags.Standing) bool { return s.StrictShadow }},
	{"unfenced-old", "writes at old take no fence, as capture records what comes too late", func(s flags.Standing) bool { return s.UnfencedOld }},
	{"unfenced-new", "writes at new take no fence, as capture records what comes too late", func(s flags.Standing) bool { return s.UnfencedNew }},
}

type stepJSON struct {
	To      flags.Stage `json:"to"`
	Percent float64     `json:"percent"`
	Of      string      `json:"of"` // tenants or keys
}

func toPolicy(p flags.Policy, inForce bool) policyJSON {
	out := policyJSON{Default: p.Default, Pinned: p.Overrides}
	for _, h := range holdings {
		if inForce && h.holds(p.Standing) {
			out.Holds = append(out.Holds, h.name)
		}
	}
	if inForce {
		out.Epoch, out.ID = p.Epoch, p.ID.String()
	}
	if p.Step.Share > 0 {
		out.Step = &stepJSON{To: p.Step.To, Percent: percent(p.Step.Share), Of: p.Step.Of.String()}
	}
	return out
}

func percent(s flags.Share) float64 { return float64(s) / 100 }

type blockJSON struct {
	Kind    string   `json:"kind"`
	From    string   `json:"from,omitempty"`
	To      string   `json:"to,omitempty"`
	Text    string   `json:"text"`
	Tenants []string `json:"tenants,omitempty"`
	// Others says that tenants without a state of their own are among them.
	Others    bool          `json:"others,omitempty"`
	Epochs    []int64       `json:"epochs,omitempty"`
	Processes []processJSON `json:"processes,omitempty"`
	Keys      int64         `json:"keys,omitempty"`
	Oldest    *time.Time    `json:"oldest,omitempty"`
	// Passes says that the block goes away by waiting for the fleet, Mends that
	// work under way takes it away, and Forcible that --force sets it aside.
	Passes   bool `json:"passes"`
	Mends    bool `json:"mends,omitempty"`
	Forcible bool `json:"forcible,omitempty"`
}

func toBlocks(blocks []control.Block) []blockJSON {
	all := make([]blockJSON, len(blocks))
	for i, b := range blocks {
		all[i] = blockJSON{
			Kind: string(b.Kind), Text: b.Text, Tenants: b.Tenants, Others: b.Others, Epochs: b.Epochs,
			Processes: toProcesses(b.Processes, 0), Keys: b.Keys, Passes: b.Kind.Passes(), Mends: b.Mends, Forcible: b.Forcible,
		}
		if b.From.Valid() {
			all[i].From, all[i].To = b.From.String(), b.To.String()
		}
		if !b.Oldest.IsZero() {
			all[i].Oldest = &b.Oldest
		}
	}
	return all
}

type processJSON struct {
	Name         string    `json:"name"`
	PID          int       `json:"pid"`
	Host         string    `json:"host"`
	Epoch        int64     `json:"epoch"`
	Acknowledged *bool     `json:"acknowledged,omitempty"` // of the epoch in force, where that is meant
	Unknown      bool      `json:"unknown_policy,omitempty"`
	HeartbeatAt  time.Time `json:"heartbeat_at"`
	ExpiresAt    time.Time `json:"expires_at"`
}

// toProcesses says of each whether it acknowledged the epoch, unless that is zero.
func toProcesses(processes []ledger.Process, epoch int64) []processJSON {
	var all []processJSON
	for _, p := range processes {
		out := processJSON{
			Name: p.Name, PID: p.PID, Host: p.Host, Epoch: p.Epoch, Unknown: p.Unknown, HeartbeatAt: p.HeartbeatAt, ExpiresAt: p.ExpiresAt,
		}
		if epoch > 0 {
			yes := acknowledged(p, epoch)
			out.Acknowledged = &yes
		}
		all = append(all, out)
	}
	return all
}

func acknowledged(p ledger.Process, epoch int64) bool { return !p.Unknown && p.Epoch >= epoch }

type conflictJSON struct {
	Expected int64      `json:"expected_epoch"`
	Epoch    int64      `json:"epoch"`
	Other    *entryJSON `json:"other,omitempty"`
}

func toConflict(e *ledger.ConflictError) *conflictJSON {
	out := &conflictJSON{Expected: e.Expected, Epoch: e.Epoch}
	if e.Other.Actor != "" {
		other := toEntry(e.Other)
		out.Other = &other
	}
	return out
}

type entryJSON struct {
	ID     int64     `json:"id,omitempty"`
	At     time.Time `json:"at"`
	Epoch  int64     `json:"epoch"`
	Kind   string    `json:"kind"`
	Tenant string    `json:"tenant,omitempty"`
	From   string    `json:"from,omitempty"`
	To     string    `json:"to"`
	Actor  string    `json:"actor"`
	Reason string    `json:"reason,omitempty"`
}

func toEntry(e ledger.Entry) entryJSON {
	return entryJSON{
		ID: e.ID, At: e.At, Epoch: e.Epoch, Kind: e.Kind, Tenant: e.Tenant, From: e.From, To: e.To, Actor: e.Actor, Reason: e.Reason,
	}
}

type holderJSON struct {
	PID         int       `json:"pid"` // zero: a prepared transaction
	Application string    `json:"application"`
	User        string    `json:"user"`
	Client      string    `json:"client"`
	State       string    `json:"state"`
	Since       time.Time `json:"since"`
}

func toHolders(holders []ledger.Holder) []holderJSON {
	var all []holderJSON
	for _, h := range holders {
		all = append(all, holderJSON(h))
	}
	return all
}
