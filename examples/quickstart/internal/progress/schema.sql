create schema quickstart_control;

-- The one walk of this database.
create table quickstart_control.walk (
    only_one      boolean     primary key default true check (only_one),
    seed          bigint      not null,
    tenants       integer     not null,
    customers     integer     not null,
    plant_bug     boolean     not null,
    rate          float8      not null,
    began_at      timestamptz not null default now(),
    fault         text        not null default 'none',
    planted       boolean     not null default false, -- version 2 asks at every save whether to make its mistake
    repaired_keys bigint      not null default 0
);

-- What was read back where the walk stood still, by stage.
create table quickstart_control.checks (
    stage          text    primary key,
    keys_read      bigint  not null,
    differing_keys bigint  not null,
    lost_updates   bigint  not null,
    stale_reads    bigint  not null,
    undecided      bigint  not null,
    passed         boolean not null,
    problems       text[]  not null
);

-- How long each part of the walk took, over all runs of the program.
create table quickstart_control.phases (
    name    text             primary key,
    place   integer          generated always as identity,
    seconds double precision not null
);

-- What became of the reads that a worker process handed to the comparer.
create table quickstart_control.comparisons (
    process      uuid   primary key,
    compared     bigint not null,
    ignored      bigint not null,
    dropped      bigint not null,
    inconclusive bigint not null,
    mismatched   bigint not null
);
