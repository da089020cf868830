create schema quickstart_oracle;

-- The one clock of all processes.
create sequence quickstart_oracle.clock;

-- One line for each customer that an operation touches. A list touches none.
create table quickstart_oracle.journal (
    id        bigint      primary key,
    began     bigint      not null, -- not behind the true beginning
    done      bigint      not null default 9223372036854775807, -- not before the true end
    operation bigint      not null, -- the first line of the operation
    process   uuid        not null,
    kind      text        not null,
    tenant    uuid        not null,
    customer  uuid,
    stage     text        not null,
    contended boolean     not null, -- another process was busy with the customer at the time
    change    jsonb       not null default '{}',
    outcome   text        not null default 'open' check (outcome in ('open', 'done', 'absent', 'refused', 'unknown')),
    seen      jsonb,      -- the customer before the change, where the operation read it
    balance   bigint,     -- the balance after the change, where the operation returned it
    micros    bigint,     -- how long the application waited
    error     text,       -- what the application was told
    at        timestamptz not null default clock_timestamp()
);
create index on quickstart_oracle.journal (customer, done);
create index on quickstart_oracle.journal (process) where outcome = 'open';
