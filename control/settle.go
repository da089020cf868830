package control

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
)

// drainSlice is how long one attempt to drain an epoch waits, so that waiting
// transactions and waiting processes are looked at in turn.
const drainSlice = 250 * time.Millisecond

// Settlement is what was waited for after a change.
type Settlement struct {
	// Settled says that nobody acts on an older policy any more.
	Settled bool
	// Drained are the epochs whose transactions have ended, and Acknowledged
	// those that no process acts on any more, in this call.
	Drained      []int64
	Acknowledged []int64
	// Terminated are the sessions that were ended because their transactions
	// took too long.
	Terminated []ledger.Holder
	Waited     time.Duration
}

// ProgressKind is what happened to a change.
type ProgressKind string

// What can happen to a change.
const (
	Committed    ProgressKind = "committed"    // the new policy is in force
	Draining     ProgressKind = "draining"     // Holders still act on Epoch
	Terminated   ProgressKind = "terminated"   // Holders were terminated
	Drained      ProgressKind = "drained"      // no transaction acts on Epoch any more
	Waiting      ProgressKind = "waiting"      // Processes still act on older policies
	Acknowledged ProgressKind = "acknowledged" // no process acts on Epoch any more
	Settled      ProgressKind = "settled"      // nobody acts on an older policy any more
	Published    ProgressKind = "published"    // the policy of Epoch says what holds now, with the same stages: Text
	Switched     ProgressKind = "switched"     // capture of Side is in another mode: Text
	Emptying     ProgressKind = "emptying"     // Holders act on an earlier mode of capture of Side
	Emptied      ProgressKind = "emptied"      // nobody acts on an earlier mode of capture of Side
	Blocked      ProgressKind = "blocked"      // a walk waits until Blocks go away by themselves
	LeftBehind   ProgressKind = "left-behind"  // a walk goes on without those whom Blocks name
	Overtaken    ProgressKind = "overtaken"    // somebody else made Other meanwhile; a walk down goes on
)

// Progress tells how a change goes on.
type Progress struct {
	Migration string
	Kind      ProgressKind
	Epoch     int64
	Holders   []ledger.Holder
	Processes []ledger.Process
	Side      flags.Side
	Blocks    []Block
	Other     *ledger.Entry
	// Text says in words what happened, where the kind alone does not.
	Text string
}

// UnsettledError says that a policy is in force while somebody may still act on
// an older one: the waiting ended early. [Plane.Settle], or the next change,
// goes on with it.
type UnsettledError struct {
	Migration string
	Epochs    []int64          // older policies that somebody may act on
	Processes []ledger.Process // processes that do
	Err       error            // what ended the waiting
}

func (e *UnsettledError) Error() string {
	var waiting []string
	for _, epoch := range e.Epochs {
		waiting = append(waiting, fmt.Sprintf("epoch %d", epoch))
	}
	text := e.Migration + ": the new policy is in force, but somebody may still act on an older one"
	if len(waiting) > 0 {
		text += " (" + strings.Join(waiting, ", ") + ")"
	}
	for _, p := range e.Processes {
		text += fmt.Sprintf("; %s acts on epoch %d", p, p.Epoch)
	}
	return fmt.Sprintf("%s: %v; the next change goes on waiting", text, e.Err)
}

func (e *UnsettledError) Unwrap() error { return e.Err }

// Settle waits until no transaction and no live process acts on a policy of the
// migration other than the one in force, and writes that down as it goes. Then
// it does what [Plane.Keep] does, and waits for what that publishes. A
// transaction that takes longer than Config.DrainTimeout is terminated. report
// may be nil. When ctx ends first, the error is an [*UnsettledError].
func (p *Plane) Settle(ctx context.Context, migration string, report func(Progress)) (Settlement, error) {
	m, err := p.store.Migration(ctx, migration)
	if err != nil {
		return Settlement{}, err
	}
	s := p.settling(m, report)
	for {
		published, err := s.finish(ctx)
		if err != nil || !published {
			return s.result, err
		}
	}
}

// settleStep waits for a step, and does what follows from it. What that
// publishes is not waited for: everybody stands where he stood.
func (p *Plane) settleStep(ctx context.Context, m ledger.Migration, report func(Progress)) (Settlement, error) {
	s := p.settling(m, report)
	_, err := s.finish(ctx)
	return s.result, err
}

// finish waits until nobody acts on an older policy, tells, and does what is
// due then. It reports whether that published a policy.
func (s *settling) finish(ctx context.Context) (published bool, err error) {
	if err := s.wait(ctx); err != nil {
		return false, err
	}
	s.result.Settled = true
	s.tell(Progress{Kind: Settled})
	if published, err = s.plane.keep(ctx, s.migration, s.report); err != nil {
		return published, fmt.Errorf("%s: it is settled, but what follows from that could not be written: %w", s.migration.Name, err)
	}
	return published, nil
}

// wait waits until nobody acts on an older policy.
func (s *settling) wait(ctx context.Context) error {
	for {
		left, err := s.round(ctx)
		s.result.Waited = time.Since(s.began)
		if err == nil && left.Settled() {
			return nil
		}
		if err == nil {
			err = pause(ctx, s.plane.cfg.Poll)
		}
		if err != nil {
			return s.unsettled(left, err)
		}
	}
}

// settleOnce looks once, without waiting, at who still acts on older policies.
func (p *Plane) settleOnce(ctx context.Context, m ledger.Migration) (ledger.Unsettled, error) {
	s := p.settling(m, nil)
	s.once = true
	return s.round(ctx)
}

// settling is one call of Settle.
type settling struct {
	plane     *Plane
	migration ledger.Migration
	report    func(Progress)
	once      bool
	began     time.Time
	since     map[int64]time.Time // when an epoch's drain began
	waiting   string              // who was reported last
	result    Settlement
}

func (p *Plane) settling(m ledger.Migration, report func(Progress)) *settling {
	return &settling{plane: p, migration: m, report: report, began: time.Now(), since: map[int64]time.Time{}}
}

// round drains what can be drained now, and writes down acknowledgements.
func (s *settling) round(ctx context.Context) (ledger.Unsettled, error) {
	store := s.plane.store
	acknowledged, err := store.MarkAcknowledged(ctx, s.migration)
	if err != nil {
		return ledger.Unsettled{}, err
	}
	slices.Sort(acknowledged)
	for _, epoch := range acknowledged {
		s.result.Acknowledged = append(s.result.Acknowledged, epoch)
		s.tell(Progress{Kind: Acknowledged, Epoch: epoch})
	}
	left, err := store.Unsettled(ctx, s.migration)
	if err != nil {
		return left, err
	}
	for _, epoch := range slices.Clone(left.Undrained) {
		drained, err := s.drain(ctx, epoch)
		if err != nil {
			return left, err
		}
		if drained {
			left.Undrained = slices.DeleteFunc(left.Undrained, func(e int64) bool { return e == epoch })
		}
	}
	s.tellWaiting(left)
	return left, nil
}

func (s *settling) drain(ctx context.Context, epoch int64) (bool, error) {
	store := s.plane.store
	if s.since[epoch].IsZero() {
		s.since[epoch] = time.Now()
	}
	wait := drainSlice
	if s.once {
		wait = time.Millisecond
	}
	drained, err := store.Drain(ctx, s.migration, epoch, wait)
	if err != nil {
		return false, err
	}
	if drained {
		s.result.Drained = append(s.result.Drained, epoch)
		s.tell(Progress{Kind: Drained, Epoch: epoch})
		return true, nil
	}
	if s.once {
		return false, nil
	}
	holders, err := store.Holders(ctx, s.migration, epoch)
	if err != nil {
		return false, err
	}
	s.tell(Progress{Kind: Draining, Epoch: epoch, Holders: holders})
	limit := s.plane.cfg.DrainTimeout
	if limit < 0 || time.Since(s.since[epoch]) < limit {
		return false, nil
	}
	s.since[epoch] = time.Now() // the next round of terminations waits as long
	if err := store.Terminate(ctx, holders); err != nil {
		return false, err
	}
	s.result.Terminated = append(s.result.Terminated, holders...)
	s.tell(Progress{Kind: Terminated, Epoch: epoch, Holders: holders})
	return false, nil
}

// tellWaiting reports the processes that are waited for, when they changed.
func (s *settling) tellWaiting(left ledger.Unsettled) {
	who := fmt.Sprint(left.Processes)
	if len(left.Processes) > 0 && who != s.waiting {
		s.tell(Progress{Kind: Waiting, Processes: left.Processes})
	}
	s.waiting = who
}

func (s *settling) tell(p Progress) {
	if s.report != nil {
		p.Migration = s.migration.Name
		s.report(p)
	}
}

func (s *settling) unsettled(left ledger.Unsettled, err error) error {
	epochs := slices.Concat(left.Undrained, left.Unacknowledged)
	slices.Sort(epochs)
	return &UnsettledError{Migration: s.migration.Name, Epochs: slices.Compact(epochs), Processes: left.Processes, Err: err}
}

// pause waits for d, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
