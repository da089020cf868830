create schema forms_v1;

create type forms_v1.status as enum ('draft', 'out', 'archived');

create table forms_v1.articles (
    tenant_id    text             not null,
    id           bigint           not null,
    title        text             not null,
    tags         text[]           not null,
    status       forms_v1.status  not null,
    rank         int              not null,
    note         text,
    extra        jsonb,
    price        numeric(12, 2)   not null,
    author_name  text             not null,
    author_email text             not null,
    written      timestamptz      not null,
    primary key (tenant_id, id)
);
