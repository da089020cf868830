-- +goose Up

-- Who does a duty that one process at a time does: the controller, or walking
-- the wishes of one migration. token grows with each new holder, so that an
-- action can check in its own transaction that its holder still holds.
create table crossfade.controllers (
    duty        text primary key check (duty <> ''),
    process_id  uuid not null,
    name        text not null,
    token       bigint not null default 1,
    acquired_at timestamptz not null default clock_timestamp(),
    renewed_at  timestamptz not null default clock_timestamp(),
    expires_at  timestamptz not null
);

-- What one process measured of one migration between began and at, or what
-- many did once it was merged (a process_id of zeros). content is in a form of
-- the control plane's, with a version in its first byte. new_calls are the
-- calls of the new side in it. A flush that is sent again has the number of
-- the first.
create table crossfade.measurements (
    migration_id integer not null references crossfade.migrations (id),
    process_id   uuid not null,
    number       bigint not null,
    began        timestamptz not null,
    at           timestamptz not null default clock_timestamp(),
    new_calls    bigint not null,
    content      bytea not null,
    primary key (process_id, migration_id, number)
);
create index on crossfade.measurements (migration_id, at);

-- Rules over measurements, and what the controller found last.
create table crossfade.guardrails (
    id           bigint primary key generated always as identity,
    migration_id integer not null references crossfade.migrations (id),
    measure      text not null check (measure in ('error-rate', 'latency-p50', 'latency-p99', 'mismatch-rate', 'drop-rate', 'stale-age')),
    threshold    double precision not null check (threshold >= 0),
    min_sample   bigint not null check (min_sample >= 0),
    window_secs  double precision not null check (window_secs > 0),
    action       text not null check (action in ('hold', 'step-tenant-down', 'step-everybody-down', 'webhook')),
    url          text not null default '',
    secret_env   text not null default '',
    created_by   text not null,
    created_at   timestamptz not null default clock_timestamp(),
    since        timestamptz not null default clock_timestamp(), -- measurements from before count no more
    verdict      text not null default '' check (verdict in ('', 'ok', 'violated', 'inconclusive', 'idle')),
    numbers      text not null default '',
    judged_at    timestamptz
);
create index on crossfade.guardrails (migration_id, id);

-- Messages to webhooks, sent by the controller until they are delivered or
-- given up. The secret is not here, only the name of the variable that holds it.
create table crossfade.webhooks (
    id           bigint primary key generated always as identity,
    migration_id integer not null references crossfade.migrations (id),
    guardrail_id bigint not null,
    key          uuid not null default gen_random_uuid(),
    url          text not null,
    secret_env   text not null,
    body         text not null,
    created_at   timestamptz not null default clock_timestamp(),
    next_at      timestamptz not null default clock_timestamp(),
    attempts     integer not null default 0,
    state        text not null default 'waiting' check (state in ('waiting', 'delivered', 'given-up')),
    done_at      timestamptz,
    last_error   text not null default ''
);
create index on crossfade.webhooks (next_at) where state = 'waiting';

-- Nothing moves up between from_at and until_at; no migration means all.
create table crossfade.freezes (
    id           bigint primary key generated always as identity,
    migration_id integer references crossfade.migrations (id),
    actor        text not null,
    reason       text not null,
    from_at      timestamptz not null,
    until_at     timestamptz,
    ended_at     timestamptz
);
create index on crossfade.freezes (migration_id);

-- Stages that are entered upwards only with another person's approval.
create table crossfade.protections (
    migration_id integer not null references crossfade.migrations (id),
    stage        text not null check (stage in ('dual', 'shadow', 'live', 'rampdown', 'new')),
    actor        text not null,
    at           timestamptz not null default clock_timestamp(),
    primary key (migration_id, stage)
);

-- A ramp that the controller walks: the plan, and where it stands. step is the
-- step that is due, or that was taken and is held. held_secs counts the time
-- that a controller observed.
create table crossfade.ramps (
    id           bigint primary key generated always as identity,
    migration_id integer not null references crossfade.migrations (id),
    plan         jsonb not null,
    author       text not null,
    reason       text not null default '',
    from_stage   text not null,
    created_at   timestamptz not null default clock_timestamp(),
    state        text not null default 'running' check (state in ('running', 'paused', 'done', 'aborted')),
    step         integer not null default 0,
    phase        text not null default 'due' check (phase in ('due', 'settling', 'holding')),
    taken_at     timestamptz,
    settled_at   timestamptz, -- by the server's clock: samples count from here
    held_secs    double precision not null default 0,
    ticked_at    timestamptz,
    samples      bigint not null default 0,
    waiting_for  text not null default '',
    updated_at   timestamptz not null default clock_timestamp(),
    finished_at  timestamptz
);
create unique index ramps_one_at_a_time on crossfade.ramps (migration_id) where state in ('running', 'paused');

-- Approvals of a stage, or of one step of a ramp.
create table crossfade.approvals (
    id           bigint primary key generated always as identity,
    migration_id integer not null references crossfade.migrations (id),
    stage        text not null,
    ramp_id      bigint references crossfade.ramps (id),
    ramp_step    integer,
    actor        text not null,
    reason       text not null default '',
    at           timestamptz not null default clock_timestamp(),
    until_at     timestamptz
);
create index on crossfade.approvals (migration_id, id);

-- The last look at the wishes of a migration, and the tenants whose wish is
-- not granted yet.
create table crossfade.wish_looks (
    migration_id integer primary key references crossfade.migrations (id),
    at           timestamptz not null default clock_timestamp(),
    tenants      bigint not null,
    arrived      bigint not null,
    walking      bigint not null,
    without      bigint not null, -- whose wish could not be read
    problem      text not null default ''
);
create table crossfade.wishes (
    migration_id integer not null references crossfade.migrations (id),
    tenant       text not null,
    stage        text not null,
    wish         text not null,
    waiting_for  text not null default '',
    primary key (migration_id, tenant)
);

-- +goose Down
drop table crossfade.wishes, crossfade.wish_looks, crossfade.approvals, crossfade.ramps, crossfade.protections,
    crossfade.freezes, crossfade.webhooks, crossfade.guardrails, crossfade.measurements, crossfade.controllers;
