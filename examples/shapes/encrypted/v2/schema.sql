create table patients_v2 (
    tenant_id  uuid  not null,
    id         uuid  not null,
    name       text  not null,
    email_hash bytea not null,
    email_box  bytea not null,
    primary key (tenant_id, id)
);

create index on patients_v2 (tenant_id, email_hash);
