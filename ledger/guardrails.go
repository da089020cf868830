package ledger

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/ledger/internal/ledgerdb"
)

// What guardrails look at.
const (
	MeasureErrorRate    = "error-rate"    // failures per call, new side - old side
	MeasureLatencyP50   = "latency-p50"   // new side / old side
	MeasureLatencyP99   = "latency-p99"   // new side / old side
	MeasureMismatchRate = "mismatch-rate" // confirmed mismatches per comparison
	MeasureDropRate     = "drop-rate"     // comparisons that did not take place
	MeasureStaleAge     = "stale-age"     // seconds since the oldest stale key was recorded
)

// Measures are all of them.
var Measures = []string{MeasureErrorRate, MeasureLatencyP50, MeasureLatencyP99, MeasureMismatchRate, MeasureDropRate, MeasureStaleAge}

// What a guardrail does once it is violated. Each of them holds as well.
const (
	ActionHold          = "hold"
	ActionTenantDown    = "step-tenant-down"
	ActionEverybodyDown = "step-everybody-down"
	ActionWebhook       = "webhook"
)

// Actions are all of them.
var Actions = []string{ActionHold, ActionTenantDown, ActionEverybodyDown, ActionWebhook}

// What a guardrail can find.
const (
	VerdictOK           = "ok"
	VerdictViolated     = "violated"
	VerdictInconclusive = "inconclusive" // too little was measured
	VerdictIdle         = "idle"         // nobody stands where it could be measured
)

// KindGuardrail is the kind of the history entries about guardrails.
const KindGuardrail = "guardrail"

// MaxWindow bounds the window of a guardrail: older measurements are not kept.
const MaxWindow = 24 * time.Hour

// Guardrail is a rule over measurements.
type Guardrail struct {
	ID        int64
	Measure   string
	Threshold float64
	MinSample int64 // of each side; without it the verdict is inconclusive
	Window    time.Duration
	Action    string
	// URL is where ActionWebhook posts to, and SecretEnv the name of the
	// environment variable of the controller that holds the secret.
	URL, SecretEnv string
	CreatedBy      string
	CreatedAt      time.Time
	// Since is from when on measurements count: the last action, or the making.
	Since time.Time
	// Verdict is what the controller found at JudgedAt, and Numbers in what
	// figures; nil where it never looked.
	Verdict, Numbers string
	JudgedAt         *time.Time
}

// Validate returns an [*InputError] for a rule that cannot be used.
func (g Guardrail) Validate() error {
	if problem := g.problem(); problem != "" {
		return &InputError{Operation: "add a guardrail", Problem: problem}
	}
	return nil
}

func (g Guardrail) problem() string {
	switch {
	case !slices.Contains(Measures, g.Measure):
		return fmt.Sprintf("%q is no measure: use one of %s", g.Measure, strings.Join(Measures, ", "))
	case !slices.Contains(Actions, g.Action):
		return fmt.Sprintf("%q is no action: use one of %s", g.Action, strings.Join(Actions, ", "))
	case math.IsNaN(g.Threshold) || g.Threshold < 0 || math.IsInf(g.Threshold, 0):
		return "the threshold must be a number that is not negative"
	case g.Window <= 0 || g.Window > MaxWindow:
		return fmt.Sprintf("the window must be more than zero and at most %s", MaxWindow)
	case g.MinSample < 0:
		return "the minimum sample must not be negative"
	case g.MinSample == 0 && g.Measure != MeasureStaleAge:
		return "a minimum sample is needed: without one a single call decides"
	case g.Action == ActionTenantDown && (g.Measure == MeasureLatencyP50 || g.Measure == MeasureLatencyP99):
		return fmt.Sprintf("%s is not measured tenant by tenant: use %s or %s, or one of %s with %s",
			g.Measure, ActionEverybodyDown, ActionHold,
			strings.Join([]string{MeasureErrorRate, MeasureMismatchRate, MeasureDropRate, MeasureStaleAge}, ", "), ActionTenantDown)
	case g.Action == ActionWebhook:
		return webhookProblem(g.URL, g.SecretEnv)
	case g.URL != "" || g.SecretEnv != "":
		return "a URL and a secret go with the action " + ActionWebhook + " only"
	}
	return ""
}

func webhookProblem(address, secretEnv string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return "the webhook's URL must begin with https:// or http://"
	}
	if secretEnv == "" {
		return "name the environment variable of the controller that holds the webhook's secret"
	}
	return ""
}

// AddGuardrail adds a rule, with an entry in the history, and returns its
// number. An [*InputError] says what cannot be used.
func (s *Store) AddGuardrail(ctx context.Context, migration string, g Guardrail, reason string) (int64, error) {
	operation := "add a guardrail to " + migration
	if err := g.Validate(); err != nil {
		return 0, err
	}
	var id int64
	err := s.noted(ctx, migration, Entry{Actor: g.CreatedBy, Reason: reason, Kind: KindGuardrail},
		func(ctx context.Context, q *ledgerdb.Queries, m ledgerdb.Migration, e *Entry) (err error) {
			id, err = q.AddGuardrail(ctx, ledgerdb.AddGuardrailParams{
				MigrationID: m.ID, Measure: g.Measure, Threshold: g.Threshold, MinSample: g.MinSample, WindowSecs: g.Window.Seconds(),
				Action: g.Action, Url: g.URL, SecretEnv: g.SecretEnv, CreatedBy: g.CreatedBy,
			})
			e.To = fmt.Sprintf("guardrail %d: %s on %s", id, g.Action, g.Measure)
			return err
		})
	return id, wrap(operation, err)
}

// RemoveGuardrail takes a rule away, with an entry in the history.
func (s *Store) RemoveGuardrail(ctx context.Context, migration string, id int64, actor, reason string) error {
	operation := fmt.Sprintf("remove guardrail %d of %s", id, migration)
	err := s.noted(ctx, migration, Entry{Actor: actor, Reason: reason, Kind: KindGuardrail, To: "removed"},
		func(ctx context.Context, q *ledgerdb.Queries, m ledgerdb.Migration, e *Entry) error {
			row, err := q.RemoveGuardrail(ctx, ledgerdb.RemoveGuardrailParams{ID: id, MigrationID: m.ID})
			if errors.Is(err, pgx.ErrNoRows) {
				return &InputError{Operation: operation, Problem: "there is none of that number"}
			}
			e.From = fmt.Sprintf("guardrail %d: %s on %s", id, row.Action, row.Measure)
			return err
		})
	return wrap(operation, err)
}

func guardrailsOf(ctx context.Context, q *ledgerdb.Queries, migration int32) ([]Guardrail, error) {
	rows, err := q.GuardrailsOf(ctx, migration)
	if err != nil {
		return nil, fmt.Errorf("read guardrails: %w", err)
	}
	var all []Guardrail
	for _, r := range rows {
		all = append(all, Guardrail{
			ID: r.ID, Measure: r.Measure, Threshold: r.Threshold, MinSample: r.MinSample,
			Window: time.Duration(r.WindowSecs * float64(time.Second)), Action: r.Action, URL: r.Url, SecretEnv: r.SecretEnv,
			CreatedBy: r.CreatedBy, CreatedAt: utc(r.CreatedAt), Since: utc(r.Since),
			Verdict: r.Verdict, Numbers: r.Numbers, JudgedAt: utcPointer(r.JudgedAt),
		})
	}
	return all, nil
}

// Judgement is what the controller found about a guardrail.
type Judgement struct {
	Guardrail        int64
	Verdict, Numbers string
	// Entry goes into the history, if it has a kind, and Body to the webhook,
	// if it is not empty.
	Entry          Entry
	Body           string
	URL, SecretEnv string
}

// Judge writes judgements down, with entries in the history and messages to
// webhooks, all of them or none.
func (s *Store) Judge(ctx context.Context, d Duty, m Migration, found []Judgement) error {
	err := s.onDuty(ctx, d, func(q *ledgerdb.Queries) error {
		for _, j := range found {
			err := q.JudgeGuardrail(ctx, ledgerdb.JudgeGuardrailParams{ID: j.Guardrail, Verdict: j.Verdict, Numbers: j.Numbers})
			if err != nil {
				return err
			}
			if j.Entry.Kind != "" {
				j.Entry.Epoch = m.Epoch
				if err := insertHistory(ctx, q, m.ID, []Entry{j.Entry}); err != nil {
					return err
				}
			}
			if j.Body == "" {
				continue
			}
			err = q.AddWebhook(ctx, ledgerdb.AddWebhookParams{
				MigrationID: m.ID, GuardrailID: j.Guardrail, Url: j.URL, SecretEnv: j.SecretEnv, Body: j.Body,
			})
			if err != nil {
				return fmt.Errorf("write a message to a webhook: %w", err)
			}
		}
		return nil
	})
	return wrap("judge the guardrails of "+m.Name, err)
}

// noted runs fn and writes an entry into the history in one transaction. fn
// may fill in what the entry says; an entry without a kind is not written.
func (s *Store) noted(
	ctx context.Context, migration string, e Entry,
	fn func(ctx context.Context, q *ledgerdb.Queries, m ledgerdb.Migration, e *Entry) error,
) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	if strings.TrimSpace(e.Actor) == "" {
		return &InputError{Operation: migration, Problem: "say who asks for it: the history names an actor"}
	}
	return s.inTx(ctx, pgx.TxOptions{}, func(q *ledgerdb.Queries) error {
		m, err := byName(ctx, q, migration)
		if err != nil {
			return err
		}
		e.Epoch = m.Epoch
		if err := fn(ctx, q, m, &e); err != nil || e.Kind == "" {
			return err
		}
		return insertHistory(ctx, q, m.ID, []Entry{e})
	})
}
