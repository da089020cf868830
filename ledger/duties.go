package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/ledger/internal/ledgerdb"
)

// Duty is work that one process at a time does, as its holder holds it.
type Duty struct {
	Name    string
	Process [16]byte
	// Token grows with each new holder.
	Token int64
}

// DutyHolder is who holds a duty, or held it last.
type DutyHolder struct {
	Duty
	Holder     string
	AcquiredAt time.Time
	RenewedAt  time.Time
	ExpiresAt  time.Time
	Held       bool
}

// ErrDutyLost says that a process acts on a duty that it does not hold any
// more. Nothing was changed.
var ErrDutyLost = errors.New("the duty is another process's by now")

// TakeDuty takes a duty for ttl, or renews it; false says that another process
// holds it. holder is shown to operators.
func (s *Store) TakeDuty(ctx context.Context, name string, process [16]byte, holder string, ttl time.Duration) (Duty, bool, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	token, err := s.q.TakeDuty(ctx, ledgerdb.TakeDutyParams{Duty: name, ProcessID: toUUID(process), Name: holder, TtlSeconds: ttl.Seconds()})
	if errors.Is(err, pgx.ErrNoRows) {
		return Duty{}, false, nil
	}
	return Duty{Name: name, Process: process, Token: token}, err == nil, wrap("take the duty of "+name, err)
}

// LeaveDuty gives a duty up, so that another process can take it at once.
func (s *Store) LeaveDuty(ctx context.Context, d Duty) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	return wrap("give up the duty of "+d.Name, s.q.LeaveDuty(ctx, ledgerdb.LeaveDutyParams{
		Duty: d.Name, ProcessID: toUUID(d.Process), Token: d.Token,
	}))
}

// Duties returns who holds which duty, or held it last.
func (s *Store) Duties(ctx context.Context) ([]DutyHolder, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	rows, err := s.q.Duties(ctx)
	if err != nil {
		return nil, wrap("list duties", err)
	}
	all := make([]DutyHolder, len(rows))
	for i, r := range rows {
		all[i] = DutyHolder{
			Duty: Duty{Name: r.Duty, Process: r.ProcessID.Bytes, Token: r.Token}, Holder: r.Name,
			AcquiredAt: utc(r.AcquiredAt), RenewedAt: utc(r.RenewedAt), ExpiresAt: utc(r.ExpiresAt), Held: r.Held,
		}
	}
	return all, nil
}

// holding returns [ErrDutyLost] unless the duty is still held, and keeps others
// from taking it until the transaction ends.
func holding(ctx context.Context, q *ledgerdb.Queries, d Duty) error {
	_, err := q.HoldDuty(ctx, ledgerdb.HoldDutyParams{Duty: d.Name, ProcessID: toUUID(d.Process), Token: d.Token})
	if errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("%s: %w", d.Name, ErrDutyLost)
	}
	return err
}

// onDuty runs fn in one transaction in which the duty is held.
func (s *Store) onDuty(ctx context.Context, d Duty, fn func(q *ledgerdb.Queries) error) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	return s.inTx(ctx, pgx.TxOptions{}, func(q *ledgerdb.Queries) error {
		if err := holding(ctx, q, d); err != nil {
			return err
		}
		return fn(q)
	})
}
