create table receipts_v1 (
    tenant_id  uuid        not null,
    id         bigserial   not null,
    created_at timestamptz not null default now(),
    payer      text        not null,
    primary key (tenant_id, id)
);
