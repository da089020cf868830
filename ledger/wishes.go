package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger/internal/ledgerdb"
)

// KindWish is the kind of the history entries about granted wishes.
const KindWish = "wish"

// WishLook is what the last look at the wishes of a migration found.
type WishLook struct {
	At      time.Time
	Tenants int64 // looked at
	Arrived int64 // stand where their wish is
	Walking int64 // do not, yet
	// Without counts the tenants whose wish could not be read: they stay where
	// they are. Problem is why, of the first of them.
	Without int64
	Problem string
	// Waiting are those who are not there yet, the first of many.
	Waiting []Wish
}

// Wish is the wish of one tenant that is not granted yet.
type Wish struct {
	Tenant      string
	Stage, Wish flags.Stage
	WaitingFor  string // empty: it is on its way
}

// maxWishes bounds how many tenants are noted by name.
const maxWishes = 1000

// NoteLook writes down what a look at the wishes found.
func (s *Store) NoteLook(ctx context.Context, d Duty, m Migration, look WishLook) error {
	err := s.onDuty(ctx, d, func(q *ledgerdb.Queries) error {
		err := q.NoteLook(ctx, ledgerdb.NoteLookParams{
			MigrationID: m.ID, Tenants: look.Tenants, Arrived: look.Arrived, Walking: look.Walking, Without: look.Without,
			Problem: kept(look.Problem, maxValue),
		})
		if err != nil {
			return err
		}
		if err := q.ForgetWishes(ctx, m.ID); err != nil {
			return err
		}
		add := ledgerdb.AddWishesParams{MigrationID: m.ID}
		for _, w := range look.Waiting[:min(len(look.Waiting), maxWishes)] {
			add.Tenants = append(add.Tenants, w.Tenant)
			add.Stages = append(add.Stages, w.Stage.String())
			add.Wishes = append(add.Wishes, w.Wish.String())
			add.WaitingFor = append(add.WaitingFor, kept(w.WaitingFor, maxValue))
		}
		if len(add.Tenants) == 0 {
			return nil
		}
		return q.AddWishes(ctx, add)
	})
	return wrap("write down the wishes of "+m.Name, err)
}

// LastLook returns the last look at the wishes, false where nobody looked, with
// up to so many tenants by name.
func (s *Store) LastLook(ctx context.Context, m Migration, upTo int) (WishLook, bool, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	operation := "read the wishes of " + m.Name
	row, err := s.q.LookOf(ctx, m.ID)
	if errors.Is(err, pgx.ErrNoRows) {
		return WishLook{}, false, nil
	}
	if err != nil {
		return WishLook{}, false, wrap(operation, err)
	}
	look := WishLook{
		At: utc(row.At), Tenants: row.Tenants, Arrived: row.Arrived, Walking: row.Walking, Without: row.Without, Problem: row.Problem,
	}
	rows, err := s.q.WishesOf(ctx, ledgerdb.WishesOfParams{MigrationID: m.ID, UpTo: limit(upTo)})
	if err != nil {
		return WishLook{}, false, wrap(operation, err)
	}
	for _, r := range rows {
		w := Wish{Tenant: r.Tenant, WaitingFor: r.WaitingFor}
		if w.Stage, err = flags.ParseStage(r.Stage); err != nil {
			return look, false, wrap(operation, err)
		}
		if w.Wish, err = flags.ParseStage(r.Wish); err != nil {
			return look, false, wrap(operation, err)
		}
		look.Waiting = append(look.Waiting, w)
	}
	return look, true, nil
}

// RequestJobOnDuty asks for a job unless one of its kind is open, and reports
// whether it did.
func (s *Store) RequestJobOnDuty(ctx context.Context, d Duty, m Migration, r JobRequest) (bool, error) {
	requested := false
	err := s.onDuty(ctx, d, func(q *ledgerdb.Queries) error {
		tenants := r.Tenants
		if tenants == nil {
			tenants = []string{}
		}
		ids, err := q.RequestJobIfNone(ctx, ledgerdb.RequestJobIfNoneParams{
			MigrationID: m.ID, Kind: r.Kind, Tenants: tenants, RequestedBy: r.Actor, Reason: r.Reason,
		})
		requested = len(ids) > 0
		return err
	})
	return requested, wrap("request a "+r.Kind+" job of "+m.Name, err)
}
