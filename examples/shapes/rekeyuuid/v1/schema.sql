create sequence wallet_numbers;

create table wallets_v1 (
    id        bigint not null primary key default nextval('wallet_numbers'),
    tenant_id uuid   not null,
    public_id uuid   not null default gen_random_uuid(),
    owner     text   not null,
    unique (tenant_id, public_id)
);
