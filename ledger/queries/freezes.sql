-- name: AddFreeze :one
insert into crossfade.freezes (migration_id, actor, reason, from_at, until_at)
values (sqlc.narg(migration_id), @actor, @reason, coalesce(sqlc.narg(from_at)::timestamptz, clock_timestamp()), sqlc.narg(until_at))
returning id;

-- FreezesOf returns the freezes of a migration that are in force or to come.
-- name: FreezesOf :many
select id, migration_id, actor, reason, from_at, until_at
from crossfade.freezes
where (migration_id is null or migration_id = @migration_id) and ended_at is null
  and (until_at is null or until_at > clock_timestamp())
order by id;

-- name: OpenFreezes :many
select f.id, m.name as migration, f.actor, f.reason, f.from_at, f.until_at
from crossfade.freezes f
left join crossfade.migrations m on m.id = f.migration_id
where f.ended_at is null and (f.until_at is null or f.until_at > clock_timestamp())
order by f.id;

-- EndFreezes ends those of one migration, or those of all migrations.
-- name: EndFreezes :execrows
update crossfade.freezes
set ended_at = clock_timestamp()
where migration_id is not distinct from sqlc.narg(migration_id) and ended_at is null
  and (until_at is null or until_at > clock_timestamp());
