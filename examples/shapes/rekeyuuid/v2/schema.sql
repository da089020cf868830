create table wallets_v2 (
    tenant_id uuid   not null,
    id        uuid   not null default gen_random_uuid(),
    number    bigint not null default nextval('wallet_numbers') unique,
    owner     text   not null,
    primary key (tenant_id, id)
);
