create table readers_v2 (
    tenant_id uuid not null,
    id        uuid not null,
    name      text not null,
    language  text not null default 'en',
    primary key (tenant_id, id)
);

create index readers_v2_language on readers_v2 (tenant_id, language, id);
