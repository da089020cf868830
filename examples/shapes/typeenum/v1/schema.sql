create table parcels_v1 (
    tenant_id uuid not null,
    id        uuid not null,
    address   text not null,
    status    text not null,
    primary key (tenant_id, id)
);

create index parcels_v1_status on parcels_v1 (tenant_id, lower(btrim(status)), id);
