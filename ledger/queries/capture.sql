-- CaptureSides are the sides of a migration for which capture was ever installed.
-- name: CaptureSides :many
select s.side, s.drained_value, s.installed_at, s.accepted_at, s.leaving, s.complete,
    coalesce(crossfade.capture_value(s.migration_id, s.side), 0)::bigint as value,
    coalesce((select sum(c.statements) from crossfade.captures c
        where c.migration_id = s.migration_id and c.side = s.side and not c.accepted), 0)::bigint as bypassed,
    coalesce((select max(c.at) from crossfade.captures c
        where c.migration_id = s.migration_id and c.side = s.side and not c.accepted), 'epoch')::timestamptz as bypassed_at,
    array(select w.writer from (
        select c.role || ' (' || c.application_name || ')' as writer, max(c.at) as last from crossfade.captures c
        where c.migration_id = s.migration_id and c.side = s.side and not c.accepted
        group by 1 order by 2 desc limit 10) w)::text[] as writers
from crossfade.capture_sides s
where s.migration_id = @migration_id
order by s.side;

-- name: CaptureTables :many
select t.id, t.side, t.schema_name, t.table_name, t.tenant_column, t.key_columns, t.installed_at
from crossfade.capture_tables t
where t.migration_id = @migration_id
order by t.side, t.schema_name, t.table_name;

-- CaptureTriggers are, of each registered table and each of its partitions, the
-- triggers that are there and enabled as they should be. A table that is gone
-- shows with no relation.
-- name: CaptureTriggers :many
with recursive relations(table_id, root, relation) as (
    select t.id, c.oid, c.oid
    from crossfade.capture_tables t
    left join pg_catalog.pg_namespace n on n.nspname = t.schema_name
    left join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = t.table_name
    where t.migration_id = @migration_id
    union
    select r.table_id, r.root, i.inhrelid
    from relations r join pg_catalog.pg_inherits i on i.inhparent = r.relation
)
select r.table_id::integer as table_id,
    coalesce(n.nspname, '')::text as schema_name, coalesce(c.relname, '')::text as relation_name,
    coalesce(c.oid = r.root, false)::boolean as is_root, coalesce(c.relkind, ' ')::text as kind,
    array(select g.tgname::text from pg_catalog.pg_trigger g
        where g.tgrelid = r.relation and not g.tgisinternal
          and g.tgfoid = pg_catalog.to_regprocedure('crossfade.capture_' || r.table_id || '()')::oid
          and g.tgenabled = case when g.tgname like '%\_replica' then 'R' else 'A' end::"char"
        order by g.tgname)::text[] as triggers
from relations r
left join pg_catalog.pg_class c on c.oid = r.relation
left join pg_catalog.pg_namespace n on n.oid = c.relnamespace
order by r.table_id, (c.oid = r.root) desc, n.nspname, c.relname;

-- LockCaptureSide keeps others from switching the mode meanwhile.
-- name: LockCaptureSide :one
select s.drained_value, coalesce(crossfade.capture_value(s.migration_id, s.side), 0)::bigint as value
from crossfade.capture_sides s
where s.migration_id = @migration_id and s.side = @side
for update;

-- SetCaptureValue sees to it that the transaction is flushed with its commit,
-- as every setval does.
-- name: SetCaptureValue :exec
select setval(to_regclass('crossfade.capture_' || @migration_id::integer || '_' || @side::text), @value::bigint);

-- name: MarkCaptureDrained :exec
update crossfade.capture_sides
set drained_value = greatest(drained_value, @value)
where migration_id = @migration_id and side = @side;

-- LockCaptureMode waits for the transactions that a mode's value let through.
-- name: LockCaptureMode :exec
select pg_advisory_xact_lock((5 << 28) | @migration_id::integer, @number::integer);

-- name: CaptureHolders :many
select coalesce(l.pid, 0)::integer as pid, coalesce(s.application_name, '')::text as application, coalesce(s.usename, '')::text as username,
    coalesce(s.client_addr::text, 'local')::text as client, coalesce(s.state, '')::text as state,
    coalesce(s.xact_start, clock_timestamp())::timestamptz as since
from pg_catalog.pg_locks l
left join pg_catalog.pg_stat_activity s on s.pid = l.pid
where l.locktype = 'advisory' and l.granted and l.objsubid = 2
  and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = current_database())
  and l.classid = ((5 << 28) | @migration_id::integer)::bigint::oid and l.objid::bigint = any(@numbers::bigint[])
order by l.pid;

-- name: SetCaptureLeaving :execrows
update crossfade.capture_sides
set leaving = @leaving
where migration_id = @migration_id and side = @side;

-- name: AcceptCaptures :execrows
update crossfade.captures
set accepted = true
where migration_id = @migration_id and side = @side and not accepted;

-- name: MarkCaptureAccepted :exec
update crossfade.capture_sides
set accepted_at = clock_timestamp()
where migration_id = @migration_id and side = @side;

-- CaptureWriters sums up who bypassed the application.
-- name: CaptureWriters :many
select c.side, c.role, c.application_name, c.table_name, c.operation, c.deep, c.accepted,
    sum(c.statements)::bigint as statements, sum(c.rows)::bigint as rows,
    min(c.first_at)::timestamptz as first_at, max(c.at)::timestamptz as last_at
from crossfade.captures c
where c.migration_id = @migration_id
group by c.side, c.role, c.application_name, c.table_name, c.operation, c.deep, c.accepted
order by last_at desc
limit @up_to;

-- SumCaptures replaces the rows of what was recorded by their sums, all but the
-- newest ones.
-- name: SumCaptures :exec
with taken as (
    select c.id from crossfade.captures c
    where c.migration_id = @migration_id
      and c.id <= (select k.id from crossfade.captures k where k.migration_id = @migration_id order by k.id desc offset @keep::integer limit 1)
    for update skip locked
), gone as (
    delete from crossfade.captures c using taken t where c.id = t.id returning c.*
)
insert into crossfade.captures (migration_id, side, first_at, at, role, application_name, table_name, operation, deep, statements, rows, accepted)
select g.migration_id, g.side, min(g.first_at), max(g.at), g.role, g.application_name, g.table_name, g.operation, g.deep, sum(g.statements), sum(g.rows), g.accepted
from gone g
group by g.migration_id, g.side, g.role, g.application_name, g.table_name, g.operation, g.deep, g.accepted;

-- ForgetCaptures deletes what was recorded longest ago, beyond a number of rows.
-- name: ForgetCaptures :exec
delete from crossfade.captures c
where c.migration_id = @migration_id
  and c.id in (select k.id from crossfade.captures k where k.migration_id = @migration_id order by k.at desc offset @keep::integer);

-- name: AddCaptureSide :exec
insert into crossfade.capture_sides (migration_id, side, drained_value)
values (@migration_id, @side, @value)
on conflict (migration_id, side) do update
set drained_value = excluded.drained_value, installed_at = clock_timestamp(), leaving = false, complete = false;

-- DeclareCaptureComplete says that the captured tables are all that the side writes.
-- name: DeclareCaptureComplete :exec
update crossfade.capture_sides set complete = true where migration_id = @migration_id and side = @side;

-- name: AddCaptureTable :one
insert into crossfade.capture_tables (migration_id, side, schema_name, table_name, tenant_column, key_columns)
values (@migration_id, @side, @schema_name, @table_name, sqlc.narg(tenant_column), @key_columns)
on conflict (migration_id, side, schema_name, table_name) do update
set tenant_column = excluded.tenant_column, key_columns = excluded.key_columns
returning id;

-- name: DeleteCaptureTables :exec
delete from crossfade.capture_tables where migration_id = @migration_id and side = @side;

-- SetCaptured says whether the fence is to mark what it locks. It waits for a
-- policy that is being published.
-- name: SetCaptured :one
update crossfade.migrations m
set captured = exists (select from crossfade.capture_tables t where t.migration_id = m.id)
where m.id = @id
returning m.epoch;
