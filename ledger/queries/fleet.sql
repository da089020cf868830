-- Heartbeat renews the lease of a process, says which policies it still acts
-- on, and returns the policies in force.
-- name: Heartbeat :many
with process as (
    insert into crossfade.processes (id, name, host, pid, expires_at, polls)
    values (@id, @name, @host, @pid, clock_timestamp() + make_interval(secs => @lease_seconds), @polls)
    on conflict (id) do update
    set heartbeat_at = clock_timestamp(), expires_at = excluded.expires_at, polls = excluded.polls
    returning id
), said as (
    insert into crossfade.acknowledgements (process_id, migration_id, epoch, policy_id)
    select process.id, s.migration_id, s.epoch, s.policy_id
    from process, (
        select unnest(sqlc.arg(migration_ids)::integer[]) as migration_id, unnest(sqlc.arg(epochs)::bigint[]) as epoch,
            unnest(sqlc.arg(policy_ids)::uuid[]) as policy_id
    ) s
    on conflict (process_id, migration_id) do update
    set epoch = excluded.epoch, policy_id = excluded.policy_id
    returning migration_id
)
select m.id, m.name, m.epoch, m.policy_id
from crossfade.migrations m
where m.name = any(sqlc.arg(names)::text[]);

-- name: RemoveProcess :exec
delete from crossfade.processes where id = @id;

-- name: RemoveDeadProcesses :exec
delete from crossfade.processes where expires_at < clock_timestamp() - interval '1 hour';

-- name: Processes :many
select id, name, host, pid, started_at, heartbeat_at, expires_at, polls, (expires_at > clock_timestamp())::boolean as live
from crossfade.processes
order by name, host, pid, id;

-- name: Acknowledgements :many
select a.process_id, a.migration_id, m.name as migration, a.epoch, a.policy_id
from crossfade.acknowledgements a
join crossfade.migrations m on m.id = a.migration_id
order by m.name;

-- MarkAcknowledged persists which older policies no live process acts on any
-- more. A process whose policy the ledger does not know may act on any.
-- name: MarkAcknowledged :many
update crossfade.policies p
set acknowledged_at = clock_timestamp()
from crossfade.migrations m
where m.id = p.migration_id and m.id = @migration_id and p.epoch < m.epoch and p.acknowledged_at is null
  and not exists (
    select from crossfade.acknowledgements a
    join crossfade.processes r on r.id = a.process_id
    where a.migration_id = m.id and r.expires_at > clock_timestamp()
      and (a.epoch <= p.epoch or not exists (
        select from crossfade.policies q
        where q.migration_id = m.id and q.epoch = a.epoch and q.policy_id = a.policy_id)))
returning p.epoch;

-- name: UnsettledEpochs :many
select p.epoch, (p.drained_at is null)::boolean as undrained, (p.acknowledged_at is null)::boolean as unacknowledged
from crossfade.policies p
join crossfade.migrations m on m.id = p.migration_id
where m.id = @migration_id and p.epoch < m.epoch and (p.drained_at is null or p.acknowledged_at is null)
order by p.epoch;

-- name: MarkDrained :exec
update crossfade.policies
set drained_at = clock_timestamp()
where migration_id = @migration_id and epoch = @epoch and drained_at is null;

-- LockEpoch waits for the transactions that act on the epoch.
-- name: LockEpoch :exec
select pg_advisory_xact_lock((1 << 28) | @migration_id::integer, @epoch::integer);

-- name: SetLockTimeout :exec
select set_config('lock_timeout', @ms::text, true), set_config('statement_timeout', '0', true);

-- EpochHolders are the sessions that hold an epoch's lock; a prepared
-- transaction has none, and shows as 0.
-- name: EpochHolders :many
select coalesce(l.pid, 0)::integer as pid, coalesce(s.application_name, '')::text as application, coalesce(s.usename, '')::text as username,
    coalesce(s.client_addr::text, 'local')::text as client, coalesce(s.state, '')::text as state,
    coalesce(s.xact_start, clock_timestamp())::timestamptz as since
from pg_catalog.pg_locks l
left join pg_catalog.pg_stat_activity s on s.pid = l.pid
where l.locktype = 'advisory' and l.granted and l.objsubid = 2
  and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = current_database())
  and l.classid = ((1 << 28) | @migration_id::integer)::bigint::oid and l.objid = sqlc.arg(epoch)::bigint::oid
order by l.pid;

-- name: Terminate :one
select pg_terminate_backend(@pid::integer)::boolean as signalled;
