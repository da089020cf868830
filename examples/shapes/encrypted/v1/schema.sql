create table patients_v1 (
    tenant_id uuid not null,
    id        uuid not null,
    name      text not null,
    email     text not null,
    primary key (tenant_id, id)
);

create index on patients_v1 (tenant_id, email);
