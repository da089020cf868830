create table recipients_v1 (
    tenant_id uuid not null,
    id        uuid not null,
    email     text not null,
    consent   boolean,
    primary key (tenant_id, id)
);

create index recipients_v1_consent on recipients_v1
    (tenant_id, (case when consent then 'given' when not consent then 'refused' else 'unasked' end), id);
