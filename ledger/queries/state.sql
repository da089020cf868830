-- PolicyStates returns the policy in force, those that somebody may still act
-- on, and those that a live process says it acts on.
-- name: PolicyStates :many
select p.epoch, p.policy_id, p.default_stage, p.step_to, p.step_share, p.step_of,
    p.clean, p.strict_shadow, p.unfenced_old, p.unfenced_new, p.created_at, p.acknowledged_at, p.drained_at
from crossfade.policies p
join crossfade.migrations m on m.id = p.migration_id
where m.id = @migration_id and p.epoch <= m.epoch
  and (p.epoch = m.epoch or p.acknowledged_at is null or p.drained_at is null or p.epoch >= (
        select min(a.epoch) from crossfade.acknowledgements a join crossfade.processes r on r.id = a.process_id
        where a.migration_id = m.id and r.expires_at > clock_timestamp()))
order by p.epoch;

-- name: OverridesSince :many
select tenant, stage, since_epoch, until_epoch
from crossfade.overrides
where migration_id = @migration_id and (until_epoch is null or until_epoch > @epoch::bigint);

-- name: TenantStates :many
select tenant, backfilled_at, verified_at, old_complete, updated_at
from crossfade.tenant_states
where migration_id = @migration_id
order by tenant;

-- name: StaleCounts :many
select tenant, side, count(*) as keys, count(*) filter (where last_error <> '') as failing,
    count(*) filter (where tried_at is null and last_error = '' and recorded_at < clock_timestamp() - interval '1 minute') as untried,
    min(recorded_at)::timestamptz as oldest, extract(epoch from clock_timestamp() - min(recorded_at))::double precision as age
from crossfade.stale_keys
where migration_id = @migration_id
group by tenant, side
order by tenant, side;

-- name: FleetOf :many
select r.id, r.name, r.host, r.pid, r.started_at, r.heartbeat_at, r.expires_at, a.epoch, a.policy_id,
    (not exists (
        select from crossfade.policies p
        where p.migration_id = a.migration_id and p.epoch = a.epoch and p.policy_id = a.policy_id
    ))::boolean as unknown_policy
from crossfade.processes r
join crossfade.acknowledgements a on a.process_id = r.id
where a.migration_id = @migration_id and r.expires_at > clock_timestamp()
order by r.name, r.host, r.pid, r.id;

-- name: OpenJobs :many
select id, kind, tenants, state, requested_by, started_at, tenants_done, tenants_all, keys_done, keys_all
from crossfade.jobs
where migration_id = @migration_id and state in ('requested', 'running')
order by id;

-- NotedTenants are those about which a job that is not done has noted
-- something: one that failed or was cancelled may be resumed.
-- name: NotedTenants :many
select distinct c.tenant
from crossfade.checkpoints c
join crossfade.jobs j on j.id = c.job_id
where j.migration_id = @migration_id and j.state <> 'done' and c.tenant <> '';

-- name: ForgetNoted :exec
delete from crossfade.checkpoints c
using crossfade.jobs j
where j.id = c.job_id and j.migration_id = @migration_id and j.state <> 'done'
  and j.kind in ('backfill', 'verify') and c.tenant = any(@tenants::text[]);

-- name: Now :one
select clock_timestamp()::timestamptz as now;

-- RanUnfenced says whether writes of a side ever ran without a fence.
-- name: RanUnfenced :one
select coalesce(bool_or(unfenced_old), false)::boolean as old_side, coalesce(bool_or(unfenced_new), false)::boolean as new_side
from crossfade.policies
where migration_id = @migration_id;
