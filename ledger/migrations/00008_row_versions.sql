-- +goose Up

-- Tables of an entity whose rows carry the version that wrote them.
create table crossfade.row_versions (
    entity         text not null check (entity <> ''),
    table_name     text not null check (table_name <> ''), -- as it is written in SQL, with its schema
    version_column text not null check (version_column <> ''),
    tenant_column  text not null default '',
    primary key (entity, table_name)
);

-- +goose Down
drop table crossfade.row_versions;
