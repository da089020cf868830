-- Version 1, which sqlc and GORM share. Rows leave room, so that an update finds place on their page.
create schema if not exists bench;

create table bench.items (
    tenant      text        not null,
    id          bigint      not null,
    name        text        not null,
    stock       bigint      not null,
    price_cents bigint      not null,
    updated_at  timestamptz not null,
    primary key (tenant, id)
) with (fillfactor = 70);
