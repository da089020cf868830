create table orders_v1 (
    tenant_id uuid        not null,
    id        uuid        not null,
    placed_at timestamptz not null,
    primary key (tenant_id, id)
);

create table order_lines_v1 (
    tenant_id uuid    not null,
    order_id  uuid    not null,
    line_no   integer not null,
    sku       text    not null,
    quantity  integer not null,
    currency  text    not null,
    primary key (tenant_id, order_id, line_no),
    foreign key (tenant_id, order_id) references orders_v1 (tenant_id, id) on delete cascade
);
