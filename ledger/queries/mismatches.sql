-- LockMismatches lets one sink at a time add rows, so that the bound holds.
-- name: LockMismatches :exec
select pg_advisory_xact_lock((4 << 28) | @migration_id::integer, 0);

-- name: CountMismatches :one
select count(*) from crossfade.mismatches where migration_id = @migration_id;

-- DropResolved makes room: resolved mismatches go first, the oldest of them first.
-- name: DropResolved :execrows
delete from crossfade.mismatches
where id in (
    select d.id from crossfade.mismatches d
    where d.migration_id = @migration_id and d.resolved_at is not null
    order by d.last_seen
    limit @up_to);

-- name: SeenAgain :execrows
update crossfade.mismatches
set kind = @kind, epoch = @epoch, served = @served, other = @other, request_id = @request_id,
    first_seen = least(first_seen, @first_seen), last_seen = greatest(last_seen, @last_seen),
    count = count + @count, resolved_at = case when resolved_at < @last_seen then null else resolved_at end
where migration_id = @migration_id and tenant = @tenant and operation = @operation and key = @key
  and field = @field and stage = @stage;

-- name: AddMismatch :exec
insert into crossfade.mismatches
    (migration_id, tenant, operation, key, field, kind, stage, epoch, served, other, request_id, first_seen, last_seen, count)
values (@migration_id, @tenant, @operation, @key, @field, @kind, @stage, @epoch, @served, @other, @request_id,
    @first_seen, @last_seen, @count)
on conflict (migration_id, tenant, operation, key, field, stage) do update
set last_seen = greatest(crossfade.mismatches.last_seen, excluded.last_seen),
    count = crossfade.mismatches.count + excluded.count;

-- name: Mismatches :many
select id, tenant, operation, key, field, kind, stage, epoch, served, other, request_id, first_seen, last_seen, count, resolved_at
from crossfade.mismatches
where migration_id = @migration_id
  and (@tenant::text = '' or tenant = @tenant)
  and (@operation::text = '' or operation = @operation)
  and (@field::text = '' or field = @field)
  and (@resolved::boolean or resolved_at is null)
order by last_seen desc, id desc
limit @up_to;

-- name: ResolveMismatches :execrows
update crossfade.mismatches
set resolved_at = clock_timestamp()
where migration_id = @migration_id and resolved_at is null
  and (@tenant::text = '' or tenant = @tenant)
  and (@operation::text = '' or operation = @operation)
  and (@field::text = '' or field = @field)
  and (cardinality(@ids::bigint[]) = 0 or id = any(@ids::bigint[]));
