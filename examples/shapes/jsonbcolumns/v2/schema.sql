create table venues_v2 (
    tenant_id  uuid        not null,
    id         uuid        not null,
    name       text        not null,
    city       text        not null,
    seats      bigint,
    opened_at  timestamptz not null,
    tags       text[]      not null,
    primary key (tenant_id, id)
);

create index venues_v2_city on venues_v2 (tenant_id, city);
