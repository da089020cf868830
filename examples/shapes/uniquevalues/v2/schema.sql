create table players_v2 (
    tenant_id uuid   not null,
    id        uuid   not null,
    login     text   not null,
    score     bigint not null,
    primary key (tenant_id, id),
    unique (tenant_id, login) deferrable initially immediate
);
