-- name: NoteLook :exec
insert into crossfade.wish_looks (migration_id, tenants, arrived, walking, without, problem)
values (@migration_id, @tenants, @arrived, @walking, @without, @problem)
on conflict (migration_id) do update
set at = clock_timestamp(), tenants = excluded.tenants, arrived = excluded.arrived, walking = excluded.walking,
    without = excluded.without, problem = excluded.problem;

-- name: ForgetWishes :exec
delete from crossfade.wishes where migration_id = @migration_id;

-- name: AddWishes :exec
insert into crossfade.wishes (migration_id, tenant, stage, wish, waiting_for)
select @migration_id, unnest(@tenants::text[]), unnest(@stages::text[]), unnest(@wishes::text[]), unnest(@waiting_for::text[]);

-- name: LookOf :one
select at, tenants, arrived, walking, without, problem from crossfade.wish_looks where migration_id = @migration_id;

-- name: WishesOf :many
select tenant, stage, wish, waiting_for from crossfade.wishes where migration_id = @migration_id order by tenant limit @up_to;

-- RequestJobIfNone asks for a job unless one of its kind is open.
-- name: RequestJobIfNone :many
insert into crossfade.jobs (migration_id, kind, tenants, requested_by, reason)
values (@migration_id, @kind, @tenants::text[], @requested_by, @reason)
on conflict (migration_id, kind) where state in ('requested', 'running') do nothing
returning id;
