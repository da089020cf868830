package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crossfade-db/crossfade/ledger"
)

type jobJSON struct {
	ID           int64      `json:"id"`
	Migration    string     `json:"migration"`
	Kind         string     `json:"kind"`
	State        string     `json:"state"`
	Tenants      []string   `json:"tenants"` // none: every tenant
	RequestedBy  string     `json:"requested_by"`
	Reason       string     `json:"reason,omitempty"`
	RequestedAt  time.Time  `json:"requested_at"`
	StartedAt    *time.Time `json:"started_at,omitempty"`
	HeartbeatAt  *time.Time `json:"heartbeat_at,omitempty"`
	FinishedAt   *time.Time `json:"finished_at,omitempty"`
	Epoch        int64      `json:"epoch,omitempty"`
	TenantsDone  int64      `json:"tenants_done"`
	TenantsAll   int64      `json:"tenants_all"`
	KeysDone     int64      `json:"keys_done"`
	KeysAll      int64      `json:"keys_all"` // estimated until the end
	KeysChanged  int64      `json:"keys_changed"`
	Differing    int64      `json:"differing"`
	Inconclusive int64      `json:"inconclusive"`
	Rate         float64    `json:"keys_per_second,omitempty"`
	Remaining    float64    `json:"remaining_seconds,omitempty"`
	WaitingFor   string     `json:"waiting_for,omitempty"`
	Error        string     `json:"error,omitempty"`

	detail ledger.JobDetail
}

type jobEvent struct {
	Event string  `json:"event"`
	Job   jobJSON `json:"job"`
}

func toJob(j ledger.JobDetail) jobJSON {
	out := jobJSON{
		ID: j.ID, Migration: j.Migration, Kind: j.Kind, State: j.State, Tenants: list(j.Tenants), RequestedBy: j.RequestedBy,
		Reason: j.Reason, RequestedAt: j.RequestedAt, StartedAt: j.StartedAt, HeartbeatAt: j.HeartbeatAt, FinishedAt: j.FinishedAt,
		Epoch: j.Epoch, TenantsDone: j.TenantsDone, TenantsAll: j.TenantsAll, KeysDone: j.KeysDone, KeysAll: j.KeysAll,
		KeysChanged: j.KeysChanged, Differing: j.Differing, Inconclusive: j.Inconclusive, WaitingFor: j.WaitingFor, Error: j.Error,
		Rate: rate(j), detail: j,
	}
	if left, ok := remaining(j); ok {
		out.Remaining = left.Seconds()
	}
	return out
}

func (j jobJSON) open() bool { return j.detail.Open() }

// progress is what makes a look at the job worth telling.
func (j jobJSON) progress() [6]any {
	return [6]any{j.State, j.TenantsDone, j.KeysDone, j.Differing, j.Inconclusive, j.WaitingFor}
}

// spent is how long the job ran when it was last heard of, by the server's clock.
func spent(j ledger.JobDetail) time.Duration {
	switch {
	case j.StartedAt == nil:
		return 0
	case j.FinishedAt != nil:
		return j.FinishedAt.Sub(*j.StartedAt)
	case j.HeartbeatAt != nil:
		return j.HeartbeatAt.Sub(*j.StartedAt)
	}
	return 0
}

// rate is keys per second, zero while nothing can be said.
func rate(j ledger.JobDetail) float64 {
	if d := spent(j); d > 0 {
		return float64(j.KeysDone) / d.Seconds()
	}
	return 0
}

func remaining(j ledger.JobDetail) (time.Duration, bool) {
	if j.HeartbeatAt == nil {
		return 0, false
	}
	return j.Remaining(*j.HeartbeatAt)
}

// jobText says in one line how a job stands.
func jobText(j ledger.JobDetail) string {
	text := fmt.Sprintf("%s %d", j.Kind, j.ID)
	switch j.State {
	case ledger.JobRequested:
		text += ": requested, waiting for a worker"
		if j.KeysDone > 0 {
			text += fmt.Sprintf(" to go on after %s", plural(j.KeysDone, "key"))
		}
		return text
	case ledger.JobRunning:
		text += ": " + runningText(j)
	default:
		text += ": " + j.State
		if j.StartedAt != nil {
			text += " after " + short(spent(j))
		}
		text += ", " + plural(j.KeysDone, "key")
	}
	text += found(j)
	if j.WaitingFor != "" && j.State == ledger.JobRunning {
		text += "; waiting for " + strings.TrimPrefix(j.WaitingFor, "waiting for ")
	}
	if j.Error != "" {
		text += ": " + j.Error
	}
	return text
}

func runningText(j ledger.JobDetail) string {
	if j.KeysAll == 0 {
		return "running"
	}
	text := fmt.Sprintf("%d%%, %s of about %s", min(100, j.KeysDone*100/j.KeysAll), grouped(j.KeysDone), plural(j.KeysAll, "key"))
	if j.TenantsAll > 1 {
		text += fmt.Sprintf(", %d of %s", j.TenantsDone, plural(j.TenantsAll, "tenant"))
	}
	if r := rate(j); r > 0 {
		text += fmt.Sprintf(", %s keys/s", grouped(int64(r)))
	}
	if left, ok := remaining(j); ok && left > 0 {
		text += fmt.Sprintf(", %s left", short(left.Round(time.Second)))
	}
	return text
}

// found says what the job wrote or found.
func found(j ledger.JobDetail) string {
	text := ""
	if j.Kind == ledger.JobVerify {
		if j.Differing > 0 {
			text += ", " + differText(j.Differing)
		} else if j.State == ledger.JobDone {
			text += " compared, none differs"
		}
	} else if j.KeysChanged > 0 {
		text += fmt.Sprintf(", %s written", grouped(j.KeysChanged))
	}
	if j.Inconclusive > 0 {
		text += fmt.Sprintf(", nothing can be said about %s", grouped(j.Inconclusive))
	}
	return text
}

// recentJobs returns the open jobs, and the newest of each kind that has ended.
func recentJobs(ctx context.Context, store *ledger.Store, migration string) ([]jobJSON, error) {
	jobs, err := store.JobsOf(ctx, migration, 0)
	if err != nil {
		return nil, err
	}
	shown := []jobJSON{}
	var ended []string
	for _, j := range jobs {
		if !j.Open() {
			if slices.Contains(ended, j.Kind) {
				continue
			}
			ended = append(ended, j.Kind)
		}
		shown = append(shown, toJob(j))
	}
	return shown, nil
}
