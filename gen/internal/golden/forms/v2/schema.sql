create schema forms_v2;

create type forms_v2.status as enum ('draft', 'out', 'archived');

create table forms_v2.authors (
    id    bigint generated always as identity primary key,
    name  text not null,
    email text not null unique
);

create table forms_v2.articles (
    tenant_id    text             not null,
    id           bigint           not null,
    title        text             not null,
    tags         text[]           not null,
    status       forms_v2.status  not null,
    rank         int              not null,
    note         text,
    extra        jsonb,
    price        numeric(12, 2)   not null,
    author_id    bigint           not null references forms_v2.authors,
    written      timestamptz      not null,
    primary key (tenant_id, id)
);
