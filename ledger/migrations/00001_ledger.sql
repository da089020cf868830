-- +goose Up

-- The schema crossfade and the table of applied migrations are made by Migrate.

-- One row per migration; epoch and policy_id are the policy in force, which
-- the fence reads.
create table crossfade.migrations (
    id           integer primary key generated always as identity (maxvalue 268435455),
    name         text not null unique check (name <> ''),
    entity       text not null,
    from_version text not null,
    to_version   text not null,
    salt         text not null,
    epoch        bigint not null default 0 check (epoch between 0 and 2147483647),
    policy_id    uuid not null default gen_random_uuid(),
    created_at   timestamptz not null default now()
);

-- Every policy that ever was in force. drained_at says that no writer acts on
-- it any more, and acknowledged_at that no process does.
create table crossfade.policies (
    migration_id    integer not null references crossfade.migrations (id),
    epoch           bigint not null,
    policy_id       uuid not null,
    default_stage   text not null check (default_stage in ('old', 'dual', 'shadow', 'live', 'rampdown', 'new')),
    step_to         text check (step_to in ('old', 'dual', 'shadow', 'live', 'rampdown', 'new')),
    step_share      integer not null default 0 check (step_share between 0 and 10000),
    created_at      timestamptz not null default now(),
    acknowledged_at timestamptz,
    drained_at      timestamptz,
    primary key (migration_id, epoch)
);

-- Overrides per tenant, as ranges of epochs: those of one policy are the rows
-- with since_epoch <= epoch and (until_epoch is null or until_epoch > epoch).
create table crossfade.overrides (
    migration_id integer not null references crossfade.migrations (id),
    tenant       text not null check (tenant <> ''),
    stage        text not null check (stage in ('old', 'dual', 'shadow', 'live', 'rampdown', 'new')),
    since_epoch  bigint not null,
    until_epoch  bigint,
    primary key (migration_id, tenant, since_epoch)
);
create index on crossfade.overrides (migration_id, since_epoch);
create index on crossfade.overrides (migration_id, until_epoch);

-- The audit trail. It is only ever added to.
create table crossfade.history (
    id           bigint primary key generated always as identity,
    migration_id integer not null references crossfade.migrations (id),
    at           timestamptz not null default clock_timestamp(),
    actor        text not null,
    reason       text not null,
    kind         text not null,
    epoch        bigint not null,
    tenant       text,
    from_value   text not null default '',
    to_value     text not null default '',
    detail       jsonb not null default '{}'
);
create index on crossfade.history (migration_id, id);

-- What the steps of the ladder depend on, per tenant; tenant '' is the whole
-- migration and the default of every tenant without a row.
create table crossfade.tenant_states (
    migration_id   integer not null references crossfade.migrations (id),
    tenant         text not null,
    backfilled_at  timestamptz,
    verified_at    timestamptz,
    old_complete   boolean not null default true,
    updated_at     timestamptz not null default now(),
    primary key (migration_id, tenant)
);

-- Keys of which one side missed a write. Rows are added by the transaction
-- whose write was missed, and deleted by the copy that read them.
create table crossfade.stale_keys (
    id           bigint primary key generated always as identity,
    migration_id integer not null references crossfade.migrations (id),
    tenant       text not null,
    side         text not null check (side in ('old', 'new')),
    key          text not null,
    epoch        bigint not null,
    cause        text not null,
    recorded_at  timestamptz not null default clock_timestamp(),
    attempts     integer not null default 0,
    tried_at     timestamptz,
    last_error   text not null default ''
);
create index stale_keys_by_key on crossfade.stale_keys (migration_id, tenant, key);
create index stale_keys_by_age on crossfade.stale_keys (migration_id, side, recorded_at);

-- Counts deletions of stale records, also those of transactions that are not
-- committed yet: whoever reads the records twice, with this count before the
-- first and after the second reading, can tell that none came and went between.
create sequence crossfade.stale_clears;
select setval('crossfade.stale_clears', 1); -- or the first count would not show

-- +goose StatementBegin
create function crossfade.count_stale_clears() returns trigger
    language plpgsql
as $$
begin
    perform nextval('crossfade.stale_clears');
    return null;
end
$$;
-- +goose StatementEnd

create trigger count_stale_clears after delete on crossfade.stale_keys
    for each statement execute function crossfade.count_stale_clears();

-- Confirmed mismatches, one row per operation, key, field and stage.
create table crossfade.mismatches (
    id           bigint primary key generated always as identity,
    migration_id integer not null references crossfade.migrations (id),
    tenant       text not null,
    operation    text not null,
    key          text not null,
    field        text not null,
    kind         text not null,
    stage        text not null,
    epoch        bigint not null,
    served       text not null,
    other        text not null,
    request_id   text not null default '',
    first_seen   timestamptz not null,
    last_seen    timestamptz not null,
    count        bigint not null default 1,
    resolved_at  timestamptz,
    unique (migration_id, tenant, operation, key, field, stage)
);
create index on crossfade.mismatches (migration_id, last_seen desc);

-- Work on the data: requested through the ledger, done by a worker that the
-- user's program embeds, and visible to everybody.
create table crossfade.jobs (
    id           bigint primary key generated always as identity,
    migration_id integer not null references crossfade.migrations (id),
    kind         text not null check (kind in ('backfill', 'verify', 'reconcile')),
    tenants      text[] not null default '{}', -- none: every tenant
    state        text not null default 'requested' check (state in ('requested', 'running', 'done', 'failed', 'cancelled')),
    requested_by text not null,
    reason       text not null default '',
    requested_at timestamptz not null default now(),
    process_id   uuid,
    started_at   timestamptz,
    heartbeat_at timestamptz,
    finished_at  timestamptz,
    epoch        bigint not null default 0,
    tenants_done bigint not null default 0,
    tenants_all  bigint not null default 0,
    keys_done    bigint not null default 0,
    keys_all     bigint not null default 0,
    keys_changed bigint not null default 0,
    differing    bigint not null default 0,
    inconclusive bigint not null default 0,
    waiting_for  text not null default '', -- while it runs: what it waits for
    error        text not null default ''
);
create index on crossfade.jobs (state, id);
create unique index jobs_one_at_a_time on crossfade.jobs (migration_id, kind) where state in ('requested', 'running');

-- Where a job stands in one tenant, written in the chunk's own transaction.
-- cursor is the last key that was passed and bound the key at which the walk
-- ends; epoch is the policy under which the row was written, so that a job that
-- goes on can tell through which stages the tenant went in between.
create table crossfade.checkpoints (
    job_id       bigint not null references crossfade.jobs (id) on delete cascade,
    tenant       text not null,
    phase        text not null,
    cursor       text not null default '',
    bound        text not null default '',
    done         boolean not null default false,
    epoch        bigint not null default 0,
    keys_all     bigint not null default 0,
    keys_done    bigint not null default 0,
    keys_changed bigint not null default 0,
    differing    bigint not null default 0,
    inconclusive bigint not null default 0,
    updated_at   timestamptz not null default now(),
    primary key (job_id, tenant)
);

-- The processes of the fleet and the oldest policy that each still acts on.
create table crossfade.processes (
    id           uuid primary key,
    name         text not null,
    host         text not null,
    pid          integer not null,
    started_at   timestamptz not null default now(),
    heartbeat_at timestamptz not null default clock_timestamp(),
    expires_at   timestamptz not null
);
create table crossfade.acknowledgements (
    process_id   uuid not null references crossfade.processes (id) on delete cascade,
    migration_id integer not null references crossfade.migrations (id),
    epoch        bigint not null,
    policy_id    uuid not null,
    primary key (process_id, migration_id)
);

-- ---------------------------------------------------------------------------
-- Lock numbers. The only definition of them: Go, copies and fences all ask
-- here. They live in the two-integer space of advisory locks, which no bigint
-- lock of an application can touch. The first four bits tell the kind: 1 an
-- epoch (exact), 2 a tenant, 3 a key (60 bits of hash).

create function crossfade.tenant_hash(migration integer, tenant text) returns bigint
    language sql immutable strict parallel safe
    return hashtextextended(tenant, migration::bigint);

create function crossfade.key_hash(migration integer, tenant text, key text) returns bigint
    language sql immutable strict parallel safe
    return hashtextextended(key, hashtextextended(tenant, migration::bigint));

create function crossfade.lock_high(kind integer, hash bigint) returns integer
    language sql immutable strict parallel safe
    return (kind << 28) | ((hash >> 32) & 268435455)::integer;

create function crossfade.lock_low(hash bigint) returns integer
    language sql immutable strict parallel safe
    return ((hash << 32) >> 32)::integer;

-- lock_keys locks the keys exclusively in the order of their numbers, so that
-- two transactions never wait for each other in a circle. More than 256 keys
-- would fill the lock table: the fence then takes the tenant's lock exclusively
-- instead, and this function refuses with XF004.
--
-- A transaction that has set crossfade.yield to on, as copies of several keys
-- do, never waits for a key while it holds another: a lock that is taken fails
-- with 55P03. A lock_timeout alone would not do: whoever waits for the copy has
-- waited longer, and the server would look for a circle on his behalf and
-- abort him.
-- +goose StatementBegin
create function crossfade.lock_keys(migration integer, tenant text, keys text[]) returns void
    language plpgsql volatile
as $$
declare
    h bigint;
    yielding boolean := coalesce(current_setting('crossfade.yield', true), '') = 'on';
begin
    if cardinality(keys) > 256 then
        raise exception using errcode = 'XF004',
            message = format('crossfade: %s keys are too many to lock one by one', cardinality(keys)),
            hint = 'Use at most 256 keys in a call, or a write by predicate.';
    end if;
    if cardinality(keys) = 1 then
        h := crossfade.key_hash(migration, tenant, keys[1]);
        perform pg_advisory_xact_lock(crossfade.lock_high(3, h), crossfade.lock_low(h));
        return;
    end if;
    for h in -- the 60 bits that the lock numbers are made of, so that equal locks are taken once and in one order
        select distinct crossfade.key_hash(migration, tenant, k) & 1152921504606846975 as n from unnest(keys) k order by n
    loop
        if not yielding then
            perform pg_advisory_xact_lock(crossfade.lock_high(3, h), crossfade.lock_low(h));
        elsif not pg_try_advisory_xact_lock(crossfade.lock_high(3, h), crossfade.lock_low(h)) then
            raise exception using errcode = '55P03', message = 'crossfade: a key of the chunk is locked by somebody else';
        end if;
    end loop;
end
$$;
-- +goose StatementEnd

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
-- does not hold every key.
--
-- XF001: the policy is no longer in force: decide again.
-- XF002: the transaction is not READ COMMITTED.
-- XF003: the migration is unknown.
-- +goose StatementBegin
create function crossfade.fence(
    migration integer, acting_epoch bigint, acting_policy uuid, tenant text, keys text[], all_keys boolean, look boolean
) returns text[]
    language plpgsql volatile
as $$
declare
    h     bigint;
    now_epoch bigint;
    now_policy uuid;
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
    select m.epoch, m.policy_id into now_epoch, now_policy from crossfade.migrations m where m.id = migration;
    if not found then
        raise exception using errcode = 'XF003', message = format('crossfade: migration %s is not in the ledger', migration);
    end if;
    if now_epoch <> acting_epoch or now_policy <> acting_policy then
        raise exception using errcode = 'XF001',
            message = format('crossfade: epoch %s is not in force, epoch %s is', acting_epoch, now_epoch);
    end if;
    if not look then
        return null;
    end if;
    return crossfade.stale_records(migration, tenant, keys, all_keys);
end
$$;
-- +goose StatementEnd

-- +goose StatementBegin
create function crossfade.stale_records(migration integer, for_tenant text, keys text[], all_keys boolean) returns text[]
    language plpgsql stable
as $$
declare
    lines text[];
    complete boolean;
begin
    select coalesce(
        (select t.old_complete from crossfade.tenant_states t where t.migration_id = migration and t.tenant = for_tenant),
        (select t.old_complete from crossfade.tenant_states t where t.migration_id = migration and t.tenant = ''),
        true) into complete;
    if all_keys then
        lines := array(
            select s.id || ' ' || s.side || ' ' || s.key from crossfade.stale_keys s
            where s.migration_id = migration and s.tenant = for_tenant order by s.id);
    else
        lines := array(
            select s.id || ' ' || s.side || ' ' || s.key from crossfade.stale_keys s
            where s.migration_id = migration and s.tenant = for_tenant and s.key = any (keys || '*'::text) order by s.id);
    end if;
    if not complete then
        lines := array_prepend('incomplete', lines);
    end if;
    return lines;
end
$$;
-- +goose StatementEnd

-- fence_lock_only takes the tenant's and the keys' locks without a policy: for
-- sides under an unguarded decision.
-- +goose StatementBegin
create function crossfade.fence_lock_only(migration integer, tenant text, keys text[], all_keys boolean, look boolean) returns text[]
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
    if not look then
        return null;
    end if;
    return crossfade.stale_records(migration, tenant, keys, all_keys);
end
$$;
-- +goose StatementEnd

-- +goose Down
drop schema crossfade cascade;
