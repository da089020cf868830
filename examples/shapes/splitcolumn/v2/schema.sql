-- Version 2: the name in two columns.
create schema people_v2;

create table people_v2.people (
    tenant_id  uuid not null,
    id         uuid not null,
    first_name text not null,
    last_name  text not null,
    email      text not null,
    born_on    timestamptz,
    primary key (tenant_id, id)
);
