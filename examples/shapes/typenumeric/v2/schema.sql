create table wares_v2 (
    tenant_id uuid           not null,
    id        uuid           not null,
    name      text           not null,
    price     numeric(12, 2) not null,
    primary key (tenant_id, id)
);

create index wares_v2_price on wares_v2 (tenant_id, price, id);
