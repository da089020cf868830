-- +goose Up

-- Capture: triggers on the tables of a side record the keys that somebody
-- writes past the application as stale on the other side, or refuse such
-- writes. The trigger functions are made per table, by package backfill; what
-- they share is here.

-- captured says that a table of the migration has such triggers: the fence then
-- marks what it locks.
alter table crossfade.migrations
    add column captured boolean not null default false;

-- Capture of one side. The mode itself is the value of a sequence of its own,
-- crossfade.capture_<migration id>_<side>: odd means that writes are recorded,
-- even that they are refused, and a switch adds one. A sequence is read as it
-- is now by every transaction; a row would be read as it was when a REPEATABLE
-- READ transaction began. drained_value says that no transaction is left which
-- a lower value let through.
create table crossfade.capture_sides (
    migration_id  integer not null references crossfade.migrations (id),
    side          text not null check (side in ('old', 'new')),
    drained_value bigint not null,
    installed_at  timestamptz not null default clock_timestamp(),
    accepted_at   timestamptz,
    leaving       boolean not null default false, -- somebody wants to remove it
    -- Whoever installed it declared that the captured tables are all tables that
    -- the side writes: only then may writes run without a fence.
    complete      boolean not null default false,
    primary key (migration_id, side)
);

-- The tables whose writers are captured. Without a tenant column all rows are
-- the one tenant's of migrations without tenants. id is the number in the name
-- of the table's trigger function, crossfade.capture_<id>().
create table crossfade.capture_tables (
    id            integer primary key generated always as identity,
    migration_id  integer not null references crossfade.migrations (id),
    side          text not null check (side in ('old', 'new')),
    schema_name   text not null,
    table_name    text not null,
    tenant_column text,
    key_columns   text[] not null check (cardinality(key_columns) > 0),
    installed_at  timestamptz not null default clock_timestamp(),
    unique (migration_id, side, schema_name, table_name)
);

-- What was recorded: one row per statement that bypassed the application. The
-- reconciler sums them up from time to time: statements and rows are sums then,
-- first_at and at the first and the last time. deep tells of cascades and of
-- statements of triggers; accepted, of what somebody took note of.
create table crossfade.captures (
    id               bigint primary key generated always as identity,
    migration_id     integer not null,
    side             text not null,
    first_at         timestamptz not null default clock_timestamp(),
    at               timestamptz not null default clock_timestamp(),
    role             text not null,
    application_name text not null,
    table_name       text not null,
    operation        text not null,
    deep             boolean not null,
    statements       bigint not null default 1,
    rows             bigint not null,
    accepted         boolean not null default false
);
create index on crossfade.captures (migration_id, id);

-- A bulk write records as many keys as it has rows, and one look-up of the
-- migration for each would cost more than all the rest. No migration is ever
-- deleted.
alter table crossfade.stale_keys drop constraint stale_keys_migration_id_fkey;

-- capture_value is the mode of a side as it is now, or null.
create function crossfade.capture_value(migration integer, side text) returns bigint
    language sql volatile
    return pg_catalog.pg_sequence_last_value(pg_catalog.to_regclass('crossfade.capture_' || migration || '_' || side));

-- capture_admit is asked by a trigger that found rows to record. It returns the
-- epoch for the records; -1 where the write is refused; -2 where nothing needs
-- to be recorded, as everybody stands where the other side is not written.
--
-- Whoever is let through holds the lock of the mode's value until it ends, so
-- that a switch can wait for it; the value is read again under the lock. In the
-- same way it joins the epoch that it relies on. A snapshot that is older than
-- the locks would show an old stage: there everything is recorded.
-- +goose StatementBegin
create function crossfade.capture_admit(migration integer, side text, mode regclass) returns bigint
    language plpgsql volatile
as $$
declare
    n       integer := case side when 'old' then 0 else 1 end;
    value   bigint;
    e       bigint;
    again   bigint;
    uniform text;
begin
    loop
        value := coalesce(pg_catalog.pg_sequence_last_value(mode), 0);
        if value % 2 = 0 then
            return -1;
        end if;
        exit when pg_catalog.pg_try_advisory_xact_lock_shared((5 << 28) | migration, (value * 2 + n)::integer)
            and pg_catalog.pg_sequence_last_value(mode) = value;
    end loop;
    select m.epoch, m.uniform_stage into e, uniform from crossfade.migrations m where m.id = migration;
    if pg_catalog.current_setting('transaction_isolation') <> 'read committed' then
        return e;
    end if;
    while uniform = side loop -- the stages old and new, where one side is written, are named like it
        if pg_catalog.pg_try_advisory_xact_lock_shared((1 << 28) | migration, e::integer) then
            select m.epoch, m.uniform_stage into again, uniform from crossfade.migrations m where m.id = migration;
            if again = e and uniform = side then
                return -2;
            end if;
        end if;
        select m.epoch, m.uniform_stage into e, uniform from crossfade.migrations m where m.id = migration;
    end loop;
    return e;
end
$$;
-- +goose StatementEnd

-- capture_refuse fails the statement.
-- +goose StatementBegin
create function crossfade.capture_refuse(migration integer, side text, schema_name text, table_name text, why text) returns void
    language plpgsql volatile
as $$
declare
    name text := (select m.name from crossfade.migrations m where m.id = migration);
begin
    raise exception using errcode = 'XF006', schema = schema_name, table = table_name,
        message = pg_catalog.format('crossfade: %I.%I, the %s side of migration %s, is not to be written past the application now%s',
            schema_name, table_name, side, name, why),
        hint = pg_catalog.format('Write through the application, whose repositories write both sides. '
            '`crossfade capture status %s` shows what is refused and why.', name);
end
$$;
-- +goose StatementEnd

-- capture_log notes a statement that was recorded. A write of the application
-- itself that ran without a fence, and comes after the step that it was decided
-- before, bypassed nobody.
-- +goose StatementBegin
create function crossfade.capture_log(migration integer, side text, table_name text, operation text, deep boolean, rows bigint) returns void
    language plpgsql volatile
as $$
begin
    if not deep and current_setting('crossfade.unfenced', true) = (select m.name from crossfade.migrations m where m.id = migration) then
        return;
    end if;
    insert into crossfade.captures (migration_id, side, role, application_name, table_name, operation, deep, rows)
    values (migration, side, coalesce(nullif(pg_catalog.current_setting('role'), 'none'), session_user),
        coalesce(pg_catalog.current_setting('application_name', true), ''), table_name, operation, deep, rows);
end
$$;
-- +goose StatementEnd

-- ---------------------------------------------------------------------------
-- The fence marks, in crossfade.mark, what it locked for a write: migration,
-- kind, tenant and keys. A mark of kind keys covers those keys, of kind all the
-- whole tenant, and of kind made nothing: the keys will be made by the
-- database, and their rows are recorded and never refused. The mark is for the
-- triggers of capture and is set only where there are any; the answer then
-- begins with a line "captured".

-- +goose StatementBegin
create function crossfade.mark(migration integer, kind text, tenant text, keys text[]) returns void
    language plpgsql volatile
as $$
begin
    perform pg_catalog.set_config('crossfade.mark', ((array[migration::text, kind, tenant] || keys)::text), true);
end
$$;
-- +goose StatementEnd

drop function crossfade.fence(integer, bigint, uuid, text, text[], boolean, boolean);

-- fence is the first statement of every transaction that acts on a decision.
-- It takes, in this order: the epoch's lock shared, in its try form (a drain
-- that waits for it means the same as another epoch); the tenant's lock,
-- shared, or exclusive where the keys are not known (all_keys); the keys'
-- locks. Keys that are null take neither: a plain read inside a transaction.
-- Only then does it read the epoch in force, in a statement of its own,
-- so that the snapshot is younger than the locks. It must stay volatile.
--
-- With look it returns the stale records of the keys (of the whole tenant with
-- all_keys) as "id side key", and a first line "incomplete" when the old side
-- does not hold every key. makes_keys says that the database will make the keys
-- and that they are copied to the other side afterwards. Where capture stands,
-- the keys are marked and the first line is "captured".
--
-- XF001: the policy is no longer in force: decide again.
-- XF002: the transaction is not READ COMMITTED.
-- XF003: the migration is unknown.
-- +goose StatementBegin
create function crossfade.fence(
    migration integer, acting_epoch bigint, acting_policy uuid, tenant text, keys text[], all_keys boolean, look boolean,
    makes_keys boolean default false
) returns text[]
    language plpgsql volatile
as $$
declare
    h     bigint;
    now_epoch bigint;
    now_policy uuid;
    now_captured boolean;
    lines text[];
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception using errcode = 'XF002',
            message = 'crossfade: the transaction must be READ COMMITTED, it is ' || current_setting('transaction_isolation'),
            hint = 'A snapshot that is older than the key lock would let a lost update through.';
    end if;
    if not pg_try_advisory_xact_lock_shared((1 << 28) | migration, acting_epoch::integer) then
        raise exception using errcode = 'XF001',
            message = format('crossfade: epoch %s is being drained', acting_epoch);
    end if;
    h := crossfade.tenant_hash(migration, tenant);
    if all_keys or cardinality(keys) > 256 then
        perform pg_advisory_xact_lock(crossfade.lock_high(2, h), crossfade.lock_low(h));
    elsif keys is not null then
        perform pg_advisory_xact_lock_shared(crossfade.lock_high(2, h), crossfade.lock_low(h));
        if cardinality(keys) > 0 then
            perform crossfade.lock_keys(migration, tenant, keys);
        end if;
    end if;
    select m.epoch, m.policy_id, m.captured into now_epoch, now_policy, now_captured from crossfade.migrations m where m.id = migration;
    if not found then
        raise exception using errcode = 'XF003', message = format('crossfade: migration %s is not in the ledger', migration);
    end if;
    if now_epoch <> acting_epoch or now_policy <> acting_policy then
        raise exception using errcode = 'XF001',
            message = format('crossfade: epoch %s is not in force, epoch %s is', acting_epoch, now_epoch);
    end if;
    if look then
        lines := crossfade.stale_records(migration, tenant, keys, all_keys);
    end if;
    if now_captured and (all_keys or keys is not null) then
        perform crossfade.mark(migration,
            case when makes_keys then 'made' when all_keys or cardinality(keys) = 0 then 'all' else 'keys' end, tenant, keys);
        return array_prepend('captured', lines);
    end if;
    if current_setting('crossfade.mark', true) <> '' then
        perform set_config('crossfade.mark', '', true); -- of another operation
    end if;
    return lines;
end
$$;
-- +goose StatementEnd

drop function crossfade.fence_lock_only(integer, text, text[], boolean, boolean);

-- fence_lock_only takes the tenant's and the keys' locks without a policy, and
-- marks them: for sides under an unguarded decision.
-- +goose StatementBegin
create function crossfade.fence_lock_only(
    migration integer, tenant text, keys text[], all_keys boolean, look boolean, makes_keys boolean default false
) returns text[]
    language plpgsql volatile
as $$
declare
    lines text[];
begin
    perform crossfade.lock_only(migration, tenant, keys, all_keys);
    if look then
        lines := crossfade.stale_records(migration, tenant, keys, all_keys);
    end if;
    if (all_keys or keys is not null) and (select m.captured from crossfade.migrations m where m.id = migration) then
        perform crossfade.mark(migration,
            case when makes_keys then 'made' when all_keys or cardinality(keys) = 0 then 'all' else 'keys' end, tenant, keys);
        return array_prepend('captured', lines);
    end if;
    if current_setting('crossfade.mark', true) <> '' then
        perform set_config('crossfade.mark', '', true);
    end if;
    return lines;
end
$$;
-- +goose StatementEnd

-- lock_only takes the locks and marks nothing.
-- +goose StatementBegin
create function crossfade.lock_only(migration integer, tenant text, keys text[], all_keys boolean) returns void
    language plpgsql volatile
as $$
declare
    h bigint := crossfade.tenant_hash(migration, tenant);
begin
    if all_keys or cardinality(keys) > 256 then
        perform pg_advisory_xact_lock(crossfade.lock_high(2, h), crossfade.lock_low(h));
    elsif keys is not null then
        perform pg_advisory_xact_lock_shared(crossfade.lock_high(2, h), crossfade.lock_low(h));
        if cardinality(keys) > 0 then
            perform crossfade.lock_keys(migration, tenant, keys);
        end if;
    end if;
end
$$;
-- +goose StatementEnd

-- lock_made locks keys that the database made, marks them for the copy that
-- follows, and returns their records, as fence does: those that the insert
-- itself made, since nobody else knows the keys.
-- +goose StatementBegin
create function crossfade.lock_made(migration integer, tenant text, keys text[]) returns text[]
    language plpgsql volatile
as $$
begin
    perform crossfade.lock_keys(migration, tenant, keys);
    perform crossfade.mark(migration, 'keys', tenant, keys);
    return crossfade.stale_records(migration, tenant, keys, false);
end
$$;
-- +goose StatementEnd

-- Who was granted the tables of the ledger before needs the new ones as well.
-- +goose StatementBegin
do $$
declare
    grants record;
begin
    for grants in
        select distinct a.privilege_type as privilege, case a.grantee when 0 then 'public' else a.grantee::regrole::text end as grantee
        from pg_class c, aclexplode(c.relacl) a
        where c.oid = 'crossfade.stale_keys'::regclass and a.grantee <> c.relowner
    loop
        execute format('grant %s on crossfade.capture_sides, crossfade.capture_tables, crossfade.captures to %s', grants.privilege, grants.grantee);
    end loop;
end
$$;
-- +goose StatementEnd

-- +goose Down
drop schema crossfade cascade;
