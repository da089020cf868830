create table labels_v2 (
    tenant_id uuid not null constraint one_tenant check (tenant_id = owning_tenant()),
    id        uuid not null,
    name      text not null unique,
    primary key (tenant_id, id)
);
