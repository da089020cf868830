create table appointments_v2 (
    tenant_id uuid        not null,
    id        uuid        not null,
    title     text        not null,
    starts_at timestamptz not null,
    primary key (tenant_id, id)
);

create index appointments_v2_start on appointments_v2 (tenant_id, starts_at, id);
