create table recipients_v2 (
    tenant_id uuid not null,
    id        uuid not null,
    email     text not null,
    consent   text not null check (consent in ('given', 'refused', 'unasked')),
    primary key (tenant_id, id)
);

create index recipients_v2_consent on recipients_v2 (tenant_id, consent, id);
