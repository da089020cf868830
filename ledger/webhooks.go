package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/crossfade-db/crossfade/ledger/internal/ledgerdb"
)

// States of messages to webhooks.
const (
	WebhookWaiting   = "waiting"
	WebhookDelivered = "delivered"
	WebhookGivenUp   = "given-up"
)

// Webhook is a message that the controller sends until it is delivered.
type Webhook struct {
	ID        int64
	Guardrail int64
	// Key is the same each time that the message is sent.
	Key            string
	URL, SecretEnv string
	Body           string
	CreatedAt      time.Time
	Attempts       int
	State          string
	NextAt         time.Time
	LastError      string
}

// DueWebhooks returns messages whose time has come, the oldest first.
func (s *Store) DueWebhooks(ctx context.Context) ([]Webhook, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	rows, err := s.q.DueWebhooks(ctx)
	if err != nil {
		return nil, wrap("read messages to webhooks", err)
	}
	all := make([]Webhook, len(rows))
	for i, r := range rows {
		all[i] = Webhook{
			ID: r.ID, Key: r.Key.String(), URL: r.Url, SecretEnv: r.SecretEnv, Body: r.Body,
			CreatedAt: utc(r.CreatedAt), Attempts: int(r.Attempts), State: WebhookWaiting,
		}
	}
	return all, nil
}

// WebhookTried writes down what became of an attempt: the new state, the error,
// and after how long to try again.
func (s *Store) WebhookTried(ctx context.Context, d Duty, id int64, state, problem string, again time.Duration) error {
	err := s.onDuty(ctx, d, func(q *ledgerdb.Queries) error {
		return q.WebhookTried(ctx, ledgerdb.WebhookTriedParams{ID: id, State: state, LastError: problem, AgainSeconds: again.Seconds()})
	})
	return wrap(fmt.Sprintf("write down the attempt of message %d", id), err)
}

// Webhooks returns the newest messages of a migration.
func (s *Store) Webhooks(ctx context.Context, m Migration, upTo int) ([]Webhook, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	rows, err := s.q.WebhooksOf(ctx, ledgerdb.WebhooksOfParams{MigrationID: m.ID, UpTo: limit(upTo)})
	if err != nil {
		return nil, wrap("list the messages of "+m.Name, err)
	}
	all := make([]Webhook, len(rows))
	for i, r := range rows {
		all[i] = Webhook{
			ID: r.ID, Guardrail: r.GuardrailID, Key: r.Key.String(), URL: r.Url, Body: r.Body, CreatedAt: utc(r.CreatedAt),
			Attempts: int(r.Attempts), State: r.State, NextAt: utc(r.NextAt), LastError: r.LastError,
		}
	}
	return all, nil
}

// PruneWebhooks forgets messages that are done for 30 days.
func (s *Store) PruneWebhooks(ctx context.Context) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	return wrap("prune messages to webhooks", s.q.PruneWebhooks(ctx))
}
