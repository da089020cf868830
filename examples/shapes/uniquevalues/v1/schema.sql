create table players_v1 (
    tenant_id uuid   not null,
    id        uuid   not null,
    handle    text   not null,
    score     bigint not null,
    primary key (tenant_id, id),
    unique (tenant_id, handle) deferrable initially immediate
);
