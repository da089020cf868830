create type mood as enum ('calm', 'merry');
create sequence people_ids;
create table people_v1 (
    tenant   text        not null,
    id       bigint      not null default nextval('people_ids'),
    name     text        not null,
    nickname text,
    born     timestamptz not null,
    tags     text[]      not null,
    visits   bigint      not null,
    mood     mood        not null,
    primary key (tenant, id)
);
create table people_v2 (
    tenant     text        not null,
    id         bigint      not null default nextval('people_ids'),
    first_name text        not null,
    last_name  text,
    nickname   text,
    born       timestamptz not null,
    tags       text[]      not null,
    visits     bigint      not null,
    mood       text        not null check (mood in ('calm', 'merry')),
    primary key (tenant, id)
);
