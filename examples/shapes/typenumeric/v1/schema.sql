create table wares_v1 (
    tenant_id uuid             not null,
    id        uuid             not null,
    name      text             not null,
    price     double precision not null,
    primary key (tenant_id, id)
);

create index wares_v1_price on wares_v1 (tenant_id, (round(price::numeric, 2)), id);
