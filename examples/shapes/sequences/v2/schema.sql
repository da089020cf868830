create table receipts_v2 (
    tenant_id  uuid        not null,
    id         bigint      not null default nextval('receipts_v1_id_seq'),
    created_at timestamptz not null default now(),
    payer      text        not null,
    primary key (tenant_id, id)
);
