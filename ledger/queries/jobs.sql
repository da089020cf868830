-- name: RequestJob :one
insert into crossfade.jobs (migration_id, kind, tenants, requested_by, reason)
values (@migration_id, @kind, @tenants::text[], @requested_by, @reason)
returning id;

-- name: OpenJobOfKind :one
select id from crossfade.jobs
where migration_id = @migration_id and kind = @kind and state in ('requested', 'running');

-- ClaimJob takes the oldest job that nobody works on: requested, or left by a
-- worker whose heartbeat stopped.
-- name: ClaimJob :one
update crossfade.jobs
set state = 'running', process_id = @process_id, started_at = coalesce(started_at, clock_timestamp()),
    heartbeat_at = clock_timestamp(), error = '', waiting_for = ''
where id = (
    select j.id from crossfade.jobs j
    join crossfade.migrations m on m.id = j.migration_id
    where m.name = any(@migrations::text[]) and not (j.id = any(@busy::bigint[]))
      and (j.state = 'requested' or (j.state = 'running' and (
        j.process_id = @process_id or j.heartbeat_at < clock_timestamp() - make_interval(secs => @lease_seconds::double precision))))
    order by j.id
    limit 1
    for update of j skip locked)
returning id;

-- JobProgress renews the claim and sums up what the checkpoints say. No row:
-- the job was cancelled or is somebody else's by now.
-- name: JobProgress :execrows
update crossfade.jobs j
set heartbeat_at = clock_timestamp(), waiting_for = @waiting_for, epoch = @epoch,
    tenants_all = @tenants_all, tenants_done = c.tenants_done, keys_done = c.keys_done, keys_changed = c.keys_changed,
    keys_all = greatest(c.keys_done, c.keys_all * greatest(@tenants_all::bigint, c.tenants, 1) / greatest(c.tenants, 1)),
    differing = c.differing, inconclusive = c.inconclusive
from (
    select count(*) filter (where k.tenant <> '') as tenants, count(*) filter (where k.done and k.tenant <> '') as tenants_done,
        coalesce(sum(k.keys_all), 0)::bigint as keys_all, coalesce(sum(k.keys_done), 0)::bigint as keys_done,
        coalesce(sum(k.keys_changed), 0)::bigint as keys_changed, coalesce(sum(k.differing), 0)::bigint as differing,
        coalesce(sum(k.inconclusive), 0)::bigint as inconclusive
    from crossfade.checkpoints k where k.job_id = @id) c
where j.id = @id and j.state = 'running' and j.process_id = @process_id;

-- name: FinishJob :execrows
update crossfade.jobs
set state = @state, finished_at = clock_timestamp(), error = @error, waiting_for = ''
where id = @id and state = 'running' and process_id = @process_id;

-- name: ReleaseJob :execrows
update crossfade.jobs
set state = 'requested', process_id = null, heartbeat_at = null, waiting_for = ''
where id = @id and state = 'running' and process_id = @process_id;

-- name: CancelJob :execrows
update crossfade.jobs
set state = 'cancelled', finished_at = clock_timestamp(), waiting_for = '', error = @error
where id = @id and state in ('requested', 'running');

-- name: ResumeJob :execrows
update crossfade.jobs
set state = 'requested', process_id = null, heartbeat_at = null, finished_at = null, error = ''
where id = @id and state in ('cancelled', 'failed');

-- name: JobByID :one
select sqlc.embed(j), m.name as migration
from crossfade.jobs j join crossfade.migrations m on m.id = j.migration_id
where j.id = @id;

-- name: JobsOf :many
select sqlc.embed(j), m.name as migration
from crossfade.jobs j join crossfade.migrations m on m.id = j.migration_id
where j.migration_id = @migration_id
order by j.id desc
limit @up_to;

-- name: CheckpointsOf :many
select job_id, tenant, phase, cursor, bound, done, epoch, keys_all, keys_done, keys_changed, differing, inconclusive, updated_at
from crossfade.checkpoints
where job_id = @job_id
order by tenant;

-- SaveCheckpoint writes nothing for a job that this process no longer runs.
-- name: SaveCheckpoint :execrows
insert into crossfade.checkpoints
    (job_id, tenant, phase, cursor, bound, done, epoch, keys_all, keys_done, keys_changed, differing, inconclusive, updated_at)
select j.id, @tenant, @phase, @cursor, @bound, @done, @epoch, @keys_all, @keys_done, @keys_changed, @differing, @inconclusive, clock_timestamp()
from crossfade.jobs j
where j.id = @job_id and j.state = 'running' and j.process_id = @process_id
on conflict (job_id, tenant) do update
set phase = excluded.phase, cursor = excluded.cursor, bound = excluded.bound, done = excluded.done, epoch = excluded.epoch,
    keys_all = excluded.keys_all, keys_done = excluded.keys_done, keys_changed = excluded.keys_changed,
    differing = excluded.differing, inconclusive = excluded.inconclusive, updated_at = excluded.updated_at;

-- PoliciesBetween returns the policies behind one epoch up to another.
-- name: PoliciesBetween :many
select epoch, policy_id, default_stage, step_to, step_share, step_of
from crossfade.policies
where migration_id = @migration_id and epoch > @after::bigint and epoch <= @up_to::bigint
order by epoch;

-- ClaimStale takes the oldest stale records whose time has come, by noting the
-- attempt: nobody else tries them until then. The wait doubles with each
-- attempt, up to ten minutes. With tried_before it takes those that were not
-- tried since, whatever their wait.
-- name: ClaimStale :many
update crossfade.stale_keys s
set attempts = s.attempts + 1, tried_at = clock_timestamp()
where s.id = any(array(
    select k.id from crossfade.stale_keys k
    where k.migration_id = @migration_id and (@tenant::text = '' or k.tenant = @tenant)
      and (k.tried_at is null
        or k.tried_at < sqlc.narg(tried_before)::timestamptz
        or (sqlc.narg(tried_before)::timestamptz is null
            and k.tried_at < clock_timestamp() - least(power(2, least(k.attempts, 20)) * interval '500 milliseconds', interval '10 minutes')))
    order by k.recorded_at, k.id
    limit @up_to
    for update skip locked))
returning s.id, s.tenant, s.side, s.key, s.attempts;

-- name: FailStale :exec
update crossfade.stale_keys
set last_error = @last_error
where id = any(@ids::bigint[]);

-- AddFailedStale records a key that could not be copied, unless a record of it stands.
-- name: AddFailedStale :exec
insert into crossfade.stale_keys (migration_id, tenant, side, key, epoch, cause, attempts, tried_at, last_error)
select @migration_id, @tenant, @side, @key, @epoch, @cause, 1, clock_timestamp(), @cause
where not exists (
    select from crossfade.stale_keys s
    where s.migration_id = @migration_id and s.tenant = @tenant and s.key = @key and s.side = @side);

-- name: FailingStale :one
select count(*) as keys, coalesce(min(last_error), '')::text as last_error
from crossfade.stale_keys
where migration_id = @migration_id and tenant = @tenant and last_error <> '';

-- ResolveVerified closes the differences that an earlier verification of the
-- tenant found, once a later one finds none.
-- name: ResolveVerified :execrows
update crossfade.mismatches
set resolved_at = clock_timestamp()
where migration_id = @migration_id and tenant = @tenant and operation = @operation and resolved_at is null and last_seen < @before;
