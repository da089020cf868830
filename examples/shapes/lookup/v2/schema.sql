create table categories_v2 (
    tenant_id uuid   not null,
    id        bigint generated always as identity,
    name      text   not null,
    primary key (tenant_id, id),
    unique (tenant_id, name)
);

create table products_v2 (
    tenant_id   uuid   not null,
    id          uuid   not null,
    name        text   not null,
    category_id bigint not null,
    price_cents bigint not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, category_id) references categories_v2 (tenant_id, id)
);

create index products_v2_category on products_v2 (tenant_id, category_id);
