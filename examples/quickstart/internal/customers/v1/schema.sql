-- Version 1: one table, which GORM models.
create schema quickstart_v1;

create table quickstart_v1.customers (
    tenant_id     uuid        not null,
    id            uuid        not null,
    full_name     text        not null,
    email         text        not null,
    address       jsonb,
    balance_cents bigint      not null,
    updated_at    timestamptz not null,
    primary key (tenant_id, id)
);
