package workload

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/crossfade-db/crossfade/examples/quickstart/internal/customers"
	"github.com/crossfade-db/crossfade/examples/quickstart/internal/oracle"
	"github.com/crossfade-db/crossfade/repo"
)

// session sends one operation after the other.
type session struct {
	*Workload
	rand *rand.Rand
	gone *oracle.Key // a customer that was found absent, to be made again
}

// turnTimeout bounds one operation, journal and all.
const turnTimeout = 30 * time.Second

// mix is how often each operation comes, in hundredths.
var mix = []struct {
	share int
	run   func(*session, context.Context, oracle.Key, string) error
}{
	{30, (*session).read},
	{4, (*session).list},
	{15, (*session).updateEmail},
	{13, (*session).replace},
	{12, (*session).addBalance},
	{10, (*session).increase},
	{8, (*session).transfer},
	{4, (*session).create},
	{4, (*session).remove},
}

// turn runs one operation as a request of its tenant.
func (s *session) turn(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, turnTimeout)
	defer cancel()
	key, run := s.next()
	ctx, stage, release, err := s.cfg.Store.Pin(ctx, key.Tenant)
	if err != nil {
		return fmt.Errorf("pin a request: %w", err)
	}
	defer release()
	return run(s, ctx, key, stage)
}

func (s *session) next() (oracle.Key, func(*session, context.Context, oracle.Key, string) error) {
	if s.gone != nil {
		key := *s.gone
		s.gone = nil
		return key, (*session).save
	}
	n := s.rand.IntN(100)
	for _, m := range mix {
		if n -= m.share; n < 0 {
			return s.target(), m.run
		}
	}
	return s.target(), (*session).read
}

// write records the intent, sends a write and records what became of it. send returns what it learned about each leg.
func (s *session) write(ctx context.Context, op oracle.Operation, send func() ([]oracle.Result, error)) error {
	pending, err := s.cfg.Journal.Intend(ctx, op)
	if err != nil {
		return err
	}
	begun := time.Now()
	results, told := send()
	took := time.Since(begun)
	outcome := outcomeOf(told)
	if outcome == oracle.Absent {
		told = nil
	}
	for i := range op.Legs {
		if i == len(results) {
			results = append(results, oracle.Result{})
		}
		if results[i].Outcome == "" {
			results[i].Outcome = outcome
		}
		if outcome != oracle.Done && outcome != oracle.Absent {
			results[i] = oracle.Result{Outcome: outcome}
		}
		if results[i].Outcome == oracle.Absent {
			key := oracle.Key{Tenant: op.Tenant, Customer: op.Legs[i].Customer}
			s.gone = &key
		}
	}
	return pending.Settle(ctx, took, told, results...)
}

// outcomeOf says what an answer proves. Only an error that the server sent in the middle of things, or one of the
// router's own, proves that nothing was written.
func outcomeOf(err error) oracle.Outcome {
	var unknown *repo.UnknownOutcomeError
	var refused *repo.RefusedError
	var server *pgconn.PgError
	var invalid *customers.InvalidError
	switch {
	case err == nil:
		return oracle.Done
	case errors.As(err, &unknown):
		return oracle.Unknown
	case errors.Is(err, customers.ErrNotFound):
		return oracle.Absent
	case errors.As(err, &refused), errors.As(err, &invalid), errors.As(err, &server) && server.Severity == "ERROR":
		return oracle.Refused
	}
	return oracle.Unknown
}
