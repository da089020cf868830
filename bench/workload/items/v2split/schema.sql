-- Version 2 in two tables, whose writes are of two statements.
create schema if not exists bench;

create table bench.split_articles (
    tenant      text        not null,
    id          bigint      not null,
    title       text        not null,
    price_cents bigint      not null,
    changed_at  timestamptz not null,
    primary key (tenant, id)
) with (fillfactor = 70);
create table bench.split_levels (
    tenant  text   not null,
    id      bigint not null,
    on_hand bigint not null,
    primary key (tenant, id)
) with (fillfactor = 70);
