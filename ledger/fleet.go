package ledger

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger/internal/ledgerdb"
)

// Channel is the channel on which a change of policy is notified; the payload
// is the migration's name.
const Channel = "crossfade_policy"

// Beat is one heartbeat of a process.
type Beat struct {
	ID   [16]byte
	Name string
	Host string
	PID  int
	// Polls is why the process finds changes of policy by its heartbeats only;
	// empty for one that listens on [Channel].
	Polls string
	// Lease is how long the process may act on its policies from now on.
	Lease time.Duration
	// Acting are the oldest policies that the process acts on.
	Acting []Version
	// Watched are the migrations whose policies in force are asked for.
	Watched []string
}

// Heartbeat renews the lease of a process, which it registers where it is
// unknown, writes down what the process acts on, and returns the policies in
// force of the watched migrations, as [Store.Versions] does.
func (s *Store) Heartbeat(ctx context.Context, b Beat) ([]Version, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	params := ledgerdb.HeartbeatParams{
		ID: toUUID(b.ID), Name: b.Name, Host: b.Host, Pid: int32(b.PID), //nolint:gosec // process ids are small
		LeaseSeconds: b.Lease.Seconds(), Names: b.Watched, Polls: b.Polls,
		MigrationIds: []int32{}, Epochs: []int64{}, PolicyIds: []pgtype.UUID{},
	}
	for _, v := range b.Acting {
		params.MigrationIds = append(params.MigrationIds, v.MigrationID)
		params.Epochs = append(params.Epochs, v.Epoch)
		params.PolicyIds = append(params.PolicyIds, toUUID(v.PolicyID))
	}
	rows, err := s.q.Heartbeat(ctx, params)
	if err != nil {
		return nil, wrap("send a heartbeat", err)
	}
	all := make([]Version, len(rows))
	for i, row := range rows {
		all[i] = Version{Migration: row.Name, MigrationID: row.ID, Epoch: row.Epoch, PolicyID: policyID(row.PolicyID)}
	}
	return all, nil
}

// Leave takes a process out of the fleet.
func (s *Store) Leave(ctx context.Context, id [16]byte) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	return wrap("leave the fleet", s.q.RemoveProcess(ctx, toUUID(id)))
}

// ForgetDead removes the processes whose leases ran out more than an hour ago.
func (s *Store) ForgetDead(ctx context.Context) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	return wrap("forget dead processes", s.q.RemoveDeadProcesses(ctx))
}

// FleetMember is a process and what it acts on, for displays.
type FleetMember struct {
	Process
	Live bool
	// Polls is why it finds changes of policy by its heartbeats only; empty for
	// one that is notified of them.
	Polls string
	// Acting is the oldest policy that it acts on, by migration.
	Acting map[string]Version
}

// Fleet returns all processes, also those whose lease ran out lately. The
// Epoch and PolicyID of the embedded Process are not set: see Acting.
func (s *Store) Fleet(ctx context.Context) ([]FleetMember, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	rows, err := s.q.Processes(ctx)
	if err != nil {
		return nil, wrap("list processes", err)
	}
	said, err := s.q.Acknowledgements(ctx)
	if err != nil {
		return nil, wrap("list acknowledgements", err)
	}
	acting := map[[16]byte]map[string]Version{}
	for _, a := range said {
		if acting[a.ProcessID.Bytes] == nil {
			acting[a.ProcessID.Bytes] = map[string]Version{}
		}
		acting[a.ProcessID.Bytes][a.Migration] = Version{
			Migration: a.Migration, MigrationID: a.MigrationID, Epoch: a.Epoch, PolicyID: flags.PolicyID(a.PolicyID.Bytes),
		}
	}
	all := make([]FleetMember, len(rows))
	for i, r := range rows {
		all[i] = FleetMember{
			Process: Process{
				ID: r.ID.Bytes, Name: r.Name, Host: r.Host, PID: int(r.Pid), StartedAt: utc(r.StartedAt),
				HeartbeatAt: utc(r.HeartbeatAt), ExpiresAt: utc(r.ExpiresAt),
			},
			Live: r.Live, Polls: r.Polls, Acting: acting[r.ID.Bytes],
		}
	}
	return all, nil
}

// MarkAcknowledged writes down which older policies no live process acts on
// any more, and returns the epochs that were new.
func (s *Store) MarkAcknowledged(ctx context.Context, m Migration) ([]int64, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	epochs, err := s.q.MarkAcknowledged(ctx, m.ID)
	return epochs, wrap("write acknowledgements of "+m.Name, err)
}
