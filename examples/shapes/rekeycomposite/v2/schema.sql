create table lines_v2 (
    tenant_id uuid    not null,
    order_id  uuid    not null,
    place     integer not null,
    article   text    not null,
    quantity  integer not null,
    primary key (tenant_id, order_id, place)
);
