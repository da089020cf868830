create table positions_v1 (
    tenant_id   uuid    not null,
    id          uuid    not null,
    price_cents bigint  not null,
    quantity    integer not null,
    total_cents bigint  not null,
    primary key (tenant_id, id)
);

create index on positions_v1 (tenant_id, total_cents);
