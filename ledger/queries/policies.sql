-- name: MigrationByName :one
select id, name, entity, from_version, to_version, salt, epoch, policy_id, created_at, uniform_stage, captured
from crossfade.migrations
where name = @name;

-- name: LockMigration :one
select id, name, entity, from_version, to_version, salt, epoch, policy_id, created_at, uniform_stage, captured
from crossfade.migrations
where name = @name
for no key update;

-- LockChain locks a migration together with those of its entity that end where
-- it begins, or begin where it ends: what one may do depends on where the others
-- stand. Always in the order of their numbers.
-- name: LockChain :many
select n.id
from crossfade.migrations m
join crossfade.migrations n on n.entity = m.entity
    and (n.id = m.id or n.to_version = m.from_version or n.from_version = m.to_version)
where m.name = @name
order by n.id
for no key update of n;

-- name: ChainedMigrations :many
select n.id, n.name, n.entity, n.from_version, n.to_version, n.salt, n.epoch, n.policy_id, n.created_at, n.uniform_stage, n.captured
from crossfade.migrations m
join crossfade.migrations n on n.entity = m.entity and n.id <> m.id
    and (n.to_version = m.from_version or n.from_version = m.to_version)
where m.id = @migration_id
order by n.id;

-- LockFollowing locks the migrations that go on from a version, and says where
-- everybody stands there if all stand alike.
-- name: LockFollowing :many
select n.name, n.uniform_stage
from crossfade.migrations n
where n.entity = @entity and n.from_version = @version
order by n.id
for no key update;

-- name: Migrations :many
select id, name, entity, from_version, to_version, salt, epoch, policy_id, created_at, uniform_stage, captured
from crossfade.migrations
order by name;

-- name: MigrationNames :many
select name from crossfade.migrations order by name;

-- name: Epochs :many
select id, name, epoch, policy_id
from crossfade.migrations
where name = any(@names::text[])
order by name;

-- name: InsertMigration :one
insert into crossfade.migrations (name, entity, from_version, to_version, salt, epoch, policy_id, uniform_stage)
values (@name, @entity, @from_version, @to_version, @salt, 1, @policy_id, 'old')
on conflict (name) do nothing
returning id;

-- name: InsertPolicy :exec
insert into crossfade.policies
    (migration_id, epoch, policy_id, default_stage, step_to, step_share, step_of, clean, strict_shadow, unfenced_old, unfenced_new)
values (@migration_id, @epoch, @policy_id, @default_stage, sqlc.narg(step_to), @step_share, @step_of,
    @clean, @strict_shadow, @unfenced_old, @unfenced_new);

-- PolicyInForce reads policy and overrides in one statement, so in one
-- snapshot: of the overrides so many at most, and one more where that is not all.
-- name: PolicyInForce :one
select m.id, m.epoch, m.policy_id, m.salt, p.default_stage, p.step_to, p.step_share, p.step_of,
    p.clean, p.strict_shadow, p.unfenced_old, p.unfenced_new, s.tenants, s.stages
from crossfade.migrations m
join crossfade.policies p on p.migration_id = m.id and p.epoch = m.epoch
cross join lateral (
    select coalesce(array_agg(o.tenant), '{}')::text[] as tenants, coalesce(array_agg(o.stage), '{}')::text[] as stages
    from (
        select tenant, stage from crossfade.overrides
        where migration_id = m.id and until_epoch is null
        limit @most::bigint
    ) o
) s
where m.name = @name;

-- name: OverridesInForce :many
select tenant, stage
from crossfade.overrides
where migration_id = @migration_id and until_epoch is null;

-- PolicyChanges reads the policy in force and what changed in its overrides
-- since another one, whose epoch and id must be known; all in one snapshot. An
-- override that changed is among the ended ones and the set ones. The condition
-- on until_epoch is written so that no index can serve it: without statistics,
-- as after the first change of many tenants, the planner would take the index of
-- all overrides that stand.
-- name: PolicyChanges :one
select m.id, m.epoch, m.policy_id, m.salt, p.default_stage, p.step_to, p.step_share, p.step_of,
    p.clean, p.strict_shadow, p.unfenced_old, p.unfenced_new,
    (exists (
        select from crossfade.policies h
        where h.migration_id = m.id and h.epoch = @since_epoch and h.policy_id = @since_policy
    ))::boolean as known,
    e.ended, s.tenants, s.stages
from crossfade.migrations m
join crossfade.policies p on p.migration_id = m.id and p.epoch = m.epoch
cross join lateral (
    select coalesce(array_agg(o.tenant), '{}')::text[] as ended
    from crossfade.overrides o
    where o.migration_id = m.id and o.until_epoch > @since_epoch
) e
cross join lateral (
    select coalesce(array_agg(o.tenant), '{}')::text[] as tenants, coalesce(array_agg(o.stage), '{}')::text[] as stages
    from crossfade.overrides o
    where o.migration_id = m.id and o.since_epoch > @since_epoch and coalesce(o.until_epoch, 0) = 0
) s
where m.name = @name;

-- name: Advance :execrows
update crossfade.migrations
set epoch = @epoch, policy_id = @policy_id, uniform_stage = @uniform_stage
where id = @id and epoch = @expected_epoch and policy_id = @expected_policy;

-- EndOverrides is written so that it finds the tenants by name, as PolicyChanges.
-- name: EndOverrides :exec
update crossfade.overrides
set until_epoch = @epoch
where migration_id = @migration_id and tenant = any(@tenants::text[]) and coalesce(until_epoch, 0) = 0;

-- name: InsertOverrides :exec
insert into crossfade.overrides (migration_id, tenant, stage, since_epoch)
select @migration_id, unnest(@tenants::text[]), unnest(@stages::text[]), @epoch;

-- name: Notify :exec
select pg_notify('crossfade_policy', @payload::text);

-- name: LastChange :one
select h.at, h.actor, h.reason, h.kind, h.epoch, h.tenant, h.from_value, h.to_value
from crossfade.history h
where h.migration_id = @migration_id and h.epoch > @epoch
order by h.id desc
limit 1;
