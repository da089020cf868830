-- Version 2 of the invoices: one row per address, integer cents, positions.
create schema chinook_v2;

create table chinook_v2.addresses (
    id          bigint primary key generated always as identity,
    street      text,
    city        text,
    state       text,
    country     text,
    postal_code text
);

-- An absent part is not the same as an empty one: both count when addresses
-- are told apart.
create unique index addresses_once on chinook_v2.addresses (
    (coalesce('=' || street, '')), (coalesce('=' || city, '')), (coalesce('=' || state, '')),
    (coalesce('=' || country, '')), (coalesce('=' || postal_code, ''))
);

create table chinook_v2.invoices (
    tenant      text      not null,
    id          integer   not null,
    customer_id integer   not null,
    invoiced_at timestamp not null,
    address_id  bigint    not null references chinook_v2.addresses (id),
    total_cents bigint    not null,
    primary key (tenant, id)
);

create table chinook_v2.invoice_lines (
    tenant           text    not null,
    invoice_id       integer not null,
    position         integer not null,
    id               integer not null unique,
    track_id         integer not null,
    unit_price_cents bigint  not null,
    quantity         integer not null,
    primary key (tenant, invoice_id, position),
    foreign key (tenant, invoice_id) references chinook_v2.invoices (tenant, id) on delete cascade
);
