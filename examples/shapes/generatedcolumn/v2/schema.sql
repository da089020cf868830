create table positions_v2 (
    tenant_id   uuid    not null,
    id          uuid    not null,
    price_cents bigint  not null,
    quantity    integer not null,
    total_cents bigint  not null generated always as (price_cents * quantity) stored,
    primary key (tenant_id, id)
);

create index on positions_v2 (tenant_id, total_cents);
