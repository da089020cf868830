-- Version 1 again, under capture: triggers are per table, and must not be in the way of other writes.
create schema if not exists bench;

create table bench.items_captured (
    tenant      text        not null,
    id          bigint      not null,
    name        text        not null,
    stock       bigint      not null,
    price_cents bigint      not null,
    updated_at  timestamptz not null,
    primary key (tenant, id)
) with (fillfactor = 70);
