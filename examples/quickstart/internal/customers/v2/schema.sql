-- Version 2: the name in two parts, the address in a table of its own, the balance as a decimal.
create schema quickstart_v2;

create table quickstart_v2.customers (
    tenant_id  uuid           not null,
    id         uuid           not null,
    first_name text           not null,
    last_name  text           not null,
    email      text           not null,
    balance    numeric(12, 2) not null,
    updated_at timestamptz    not null,
    primary key (tenant_id, id)
);

-- A customer without a row here has no known address.
create table quickstart_v2.customer_addresses (
    tenant_id   uuid not null,
    customer_id uuid not null,
    street      text not null,
    city        text not null,
    postal_code text not null,
    country     text not null,
    primary key (tenant_id, customer_id),
    foreign key (tenant_id, customer_id) references quickstart_v2.customers (tenant_id, id) on delete cascade
);
