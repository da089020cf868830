create table events_v1 (
    tenant_id uuid      not null,
    id        uuid      not null,
    kind      text      not null,
    at        timestamp not null,
    primary key (tenant_id, id)
);

create index events_v1_at on events_v1 (tenant_id, at, id);
