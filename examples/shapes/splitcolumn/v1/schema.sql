-- Version 1: the name in one column.
create schema people_v1;

create table people_v1.people (
    tenant_id  uuid not null,
    id         uuid not null,
    full_name  text not null,
    email      text not null,
    born_on    timestamptz,
    primary key (tenant_id, id)
);
