-- Version 2: other names.
create schema if not exists bench;

create table bench.articles (
    tenant      text        not null,
    id          bigint      not null,
    title       text        not null,
    on_hand     bigint      not null,
    price_cents bigint      not null,
    changed_at  timestamptz not null,
    primary key (tenant, id)
) with (fillfactor = 70);
