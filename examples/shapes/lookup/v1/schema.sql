create table products_v1 (
    tenant_id   uuid   not null,
    id          uuid   not null,
    name        text   not null,
    category    text   not null,
    price_cents bigint not null,
    primary key (tenant_id, id)
);

create index products_v1_category on products_v1 (tenant_id, category);
