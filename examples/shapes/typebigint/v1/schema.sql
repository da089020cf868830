create table articles_v1 (
    tenant_id uuid    not null,
    id        integer not null,
    title     text    not null,
    reads     integer not null,
    primary key (tenant_id, id)
);

create index articles_v1_reads on articles_v1 (tenant_id, reads desc, id);
