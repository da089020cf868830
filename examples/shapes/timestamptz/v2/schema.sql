create table events_v2 (
    tenant_id uuid        not null,
    id        uuid        not null,
    kind      text        not null,
    at        timestamptz not null,
    primary key (tenant_id, id)
);

create index events_v2_at on events_v2 (tenant_id, at, id);
