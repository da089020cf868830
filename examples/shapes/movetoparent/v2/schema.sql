create table orders_v2 (
    tenant_id uuid        not null,
    id        uuid        not null,
    placed_at timestamptz not null,
    currency  text        not null,
    primary key (tenant_id, id)
);

create table order_lines_v2 (
    tenant_id uuid    not null,
    order_id  uuid    not null,
    line_no   integer not null,
    sku       text    not null,
    quantity  integer not null,
    primary key (tenant_id, order_id, line_no),
    foreign key (tenant_id, order_id) references orders_v2 (tenant_id, id) on delete cascade
);
