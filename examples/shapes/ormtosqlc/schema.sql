create table listeners (
    tenant_id    uuid        not null,
    id           uuid        not null,
    name         text        not null,
    topics       jsonb,
    credit_cents bigint      not null,
    created_at   timestamptz not null,
    updated_at   timestamptz not null,
    deleted_at   timestamptz,
    primary key (tenant_id, id)
);
