create table readers_v1 (
    tenant_id uuid not null,
    id        uuid not null,
    name      text not null,
    language  text,
    primary key (tenant_id, id)
);

create index readers_v1_language on readers_v1 (tenant_id, coalesce(language, 'en'), id);
