package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger/internal/ledgerdb"
)

// State is what the steps of one migration depend on, as one look at the
// ledger saw it. It is a value for pure functions: nothing in it changes.
type State struct {
	Migration Migration
	// Policies are the one in force, which is the last, and every older one
	// that somebody may still act on, by epoch.
	Policies []PolicyState
	// Tenants are the states of tenants, Whole the one of the whole migration,
	// which counts for every tenant without a state of its own.
	Tenants map[string]TenantState
	Whole   TenantState
	Stale   []StaleCount
	// Capture is what stands of capture, by side.
	Capture [2]CaptureState
	// RanUnfenced says, by side, that a policy ever let writes there run without
	// a fence: what such a write sends may arrive at any time.
	RanUnfenced [2]bool
	// Processes are those with a valid lease that act on this migration.
	Processes []Process
	// Previous are the migrations of the same entity that lead to the version
	// from which this one goes on, and Following those that go on from where it
	// leads: at most one each where versions follow each other in a row. Only
	// Migration, Policies and Processes are known of them.
	Previous, Following []*State
	// Jobs are those requested or running.
	Jobs []Job
	// Noted are the tenants about which jobs that are not done noted something.
	Noted []string
	// Guard is what holds steps up besides the data.
	Guard Guard
	// At is the server's time of the look.
	At time.Time
}

// PolicyState is a policy and who may still act on it.
type PolicyState struct {
	flags.Policy
	CreatedAt time.Time
	// AcknowledgedAt is when no process acted on it any more, and DrainedAt
	// when no transaction did; nil while somebody may. Both stay nil for the
	// policy in force.
	AcknowledgedAt *time.Time
	DrainedAt      *time.Time
}

// TenantState is what the ladder knows of one tenant's data.
type TenantState struct {
	Tenant       string
	BackfilledAt *time.Time // nil: the new side may lack keys
	VerifiedAt   *time.Time // nil: the sides were not compared since
	OldComplete  bool       // false: the old side missed writes at stage new
	UpdatedAt    time.Time
}

// StaleCount counts the stale keys of one tenant's side.
type StaleCount struct {
	Tenant string
	Side   flags.Side
	Keys   int64
	// Failing are those that a worker tried to copy and could not.
	Failing int64
	// Untried are those that nobody tried to copy within a minute of their
	// record, as where no worker runs.
	Untried int64
	Oldest  time.Time
	// Age is that of the oldest, by the server's clock.
	Age time.Duration
}

// Process is a process of the fleet and the oldest policy that it acts on.
type Process struct {
	ID          [16]byte
	Name        string
	Host        string
	PID         int
	StartedAt   time.Time
	HeartbeatAt time.Time
	ExpiresAt   time.Time
	Epoch       int64
	PolicyID    flags.PolicyID
	// Unknown says that the ledger holds no such policy, as after a failover
	// that lost it: what the process acts on cannot be told.
	Unknown bool
}

// String returns name, process id and host, such as "shop[4711]@web-3".
func (p Process) String() string { return fmt.Sprintf("%s[%d]@%s", p.Name, p.PID, p.Host) }

// Job is work on the data in progress.
type Job struct {
	ID                      int64
	Kind                    string
	Tenants                 []string
	State                   string
	RequestedBy             string
	TenantsDone, TenantsAll int64
	KeysDone, KeysAll       int64
}

// Current returns the policy in force.
func (s *State) Current() PolicyState { return s.Policies[len(s.Policies)-1] }

// Outstanding returns the older policies that somebody may still act on.
func (s *State) Outstanding() []PolicyState { return s.Policies[:len(s.Policies)-1] }

// Tenant returns the state that counts for a tenant: its own, or that of the
// whole migration.
func (s *State) Tenant(tenant string) TenantState {
	if own, ok := s.Tenants[tenant]; ok {
		return own
	}
	return s.Whole
}

// Load reads the state of one migration in one snapshot, or returns an
// [*UnknownMigrationError].
func (s *Store) Load(ctx context.Context, migration string) (*State, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	var state *State
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := s.inTx(ctx, options, func(q *ledgerdb.Queries) error {
		row, err := byName(ctx, q, migration)
		if err == nil {
			state, err = load(ctx, q, row)
		}
		return err
	})
	if err != nil {
		return nil, wrap("read the state of "+migration, err)
	}
	return state, nil
}

// load reads the parts of a state. Processes come before policies, so that a
// process that comes back in between does not hold a policy that was left out.
func load(ctx context.Context, q *ledgerdb.Queries, row ledgerdb.Migration) (*State, error) {
	state := &State{Migration: toMigration(row)}
	for _, part := range []func(context.Context, *ledgerdb.Queries, *State) error{
		loadProcesses, loadPolicies, loadChain, loadTenants, loadStale, loadJobs, loadGuard, loadCapture,
	} {
		if err := part(ctx, q, state); err != nil {
			return nil, err
		}
	}
	at, err := q.Now(ctx)
	state.At = utc(at)
	return state, err
}

func loadPolicies(ctx context.Context, q *ledgerdb.Queries, s *State) error {
	rows, err := q.PolicyStates(ctx, s.Migration.ID)
	if err != nil {
		return fmt.Errorf("read policies: %w", err)
	}
	if len(rows) == 0 {
		return fmt.Errorf("policy of epoch %d is missing", s.Migration.Epoch)
	}
	for _, r := range rows {
		p := PolicyState{
			Policy:         flags.Policy{Migration: s.Migration.Name, Epoch: r.Epoch, ID: policyID(r.PolicyID), Salt: s.Migration.Salt},
			CreatedAt:      utc(r.CreatedAt),
			AcknowledgedAt: utcPointer(r.AcknowledgedAt),
			DrainedAt:      utcPointer(r.DrainedAt),
		}
		p.Standing = flags.Standing{Clean: r.Clean, StrictShadow: r.StrictShadow, UnfencedOld: r.UnfencedOld, UnfencedNew: r.UnfencedNew}
		if p.Default, p.Step, err = parseStages(r.DefaultStage, r.StepTo, r.StepShare, r.StepOf); err != nil {
			return fmt.Errorf("epoch %d: %w", r.Epoch, err)
		}
		p.Overrides = map[string]flags.Stage{}
		s.Policies = append(s.Policies, p)
	}
	ran, err := q.RanUnfenced(ctx, s.Migration.ID)
	if err != nil {
		return fmt.Errorf("look for unfenced policies: %w", err)
	}
	s.RanUnfenced = [2]bool{ran.OldSide, ran.NewSide}
	overrides, err := q.OverridesSince(ctx, ledgerdb.OverridesSinceParams{MigrationID: s.Migration.ID, Epoch: rows[0].Epoch})
	if err != nil {
		return fmt.Errorf("read overrides: %w", err)
	}
	for _, o := range overrides {
		stage, err := flags.ParseStage(o.Stage)
		if err != nil {
			return fmt.Errorf("override of tenant %q: %w", o.Tenant, err)
		}
		for _, p := range s.Policies {
			if o.SinceEpoch <= p.Epoch && (o.UntilEpoch == nil || *o.UntilEpoch > p.Epoch) {
				p.Overrides[o.Tenant] = stage
			}
		}
	}
	return nil
}

// loadChain reads where the migrations before and after this one stand.
func loadChain(ctx context.Context, q *ledgerdb.Queries, s *State) error {
	rows, err := q.ChainedMigrations(ctx, s.Migration.ID)
	if err != nil {
		return fmt.Errorf("read the migrations before and after it: %w", err)
	}
	for _, row := range rows {
		other := &State{Migration: toMigration(row)}
		if err := loadProcesses(ctx, q, other); err != nil {
			return fmt.Errorf("%s: %w", row.Name, err)
		}
		if err := loadPolicies(ctx, q, other); err != nil {
			return fmt.Errorf("%s: %w", row.Name, err)
		}
		if row.ToVersion == s.Migration.From {
			s.Previous = append(s.Previous, other)
		}
		if row.FromVersion == s.Migration.To {
			s.Following = append(s.Following, other)
		}
	}
	return nil
}

func loadTenants(ctx context.Context, q *ledgerdb.Queries, s *State) error {
	rows, err := q.TenantStates(ctx, s.Migration.ID)
	if err != nil {
		return fmt.Errorf("read tenant states: %w", err)
	}
	s.Tenants = make(map[string]TenantState, len(rows))
	s.Whole = TenantState{OldComplete: true}
	for _, r := range rows {
		t := TenantState{
			Tenant: r.Tenant, BackfilledAt: utcPointer(r.BackfilledAt), VerifiedAt: utcPointer(r.VerifiedAt),
			OldComplete: r.OldComplete, UpdatedAt: utc(r.UpdatedAt),
		}
		if t.Tenant == "" {
			s.Whole = t
		} else {
			s.Tenants[t.Tenant] = t
		}
	}
	return nil
}

func loadStale(ctx context.Context, q *ledgerdb.Queries, s *State) (err error) {
	s.Stale, err = staleCounts(ctx, q, s.Migration.ID)
	return err
}

func loadProcesses(ctx context.Context, q *ledgerdb.Queries, s *State) error {
	rows, err := q.FleetOf(ctx, s.Migration.ID)
	if err != nil {
		return fmt.Errorf("read processes: %w", err)
	}
	for _, r := range rows {
		s.Processes = append(s.Processes, Process{
			ID: r.ID.Bytes, Name: r.Name, Host: r.Host, PID: int(r.Pid), StartedAt: utc(r.StartedAt),
			HeartbeatAt: utc(r.HeartbeatAt), ExpiresAt: utc(r.ExpiresAt),
			Epoch: r.Epoch, PolicyID: policyID(r.PolicyID), Unknown: r.UnknownPolicy,
		})
	}
	return nil
}

func loadJobs(ctx context.Context, q *ledgerdb.Queries, s *State) error {
	rows, err := q.OpenJobs(ctx, s.Migration.ID)
	if err != nil {
		return fmt.Errorf("read jobs: %w", err)
	}
	for _, r := range rows {
		s.Jobs = append(s.Jobs, Job{
			ID: r.ID, Kind: r.Kind, Tenants: r.Tenants, State: r.State, RequestedBy: r.RequestedBy,
			TenantsDone: r.TenantsDone, TenantsAll: r.TenantsAll, KeysDone: r.KeysDone, KeysAll: r.KeysAll,
		})
	}
	if s.Noted, err = q.NotedTenants(ctx, s.Migration.ID); err != nil {
		return fmt.Errorf("read the tenants of jobs: %w", err)
	}
	return nil
}
