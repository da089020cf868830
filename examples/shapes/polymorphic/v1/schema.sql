create table comments_v1 (
    tenant_id    uuid        not null,
    id           uuid        not null,
    subject_kind text        not null,
    subject_id   uuid        not null,
    body         text        not null,
    written_at   timestamptz not null,
    primary key (tenant_id, id)
);

create index comments_v1_subject on comments_v1 (tenant_id, subject_kind, subject_id);
