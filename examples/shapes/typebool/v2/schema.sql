-- A domain refuses a value even where no row is met, as version 1 does; a constraint of the column would not.
create domain recipient_consent as text check (value in ('given', 'refused', 'unasked'));

create table recipients_v2 (
    tenant_id uuid              not null,
    id        uuid              not null,
    email     text              not null,
    consent   recipient_consent not null,
    primary key (tenant_id, id)
);

create index recipients_v2_consent on recipients_v2 (tenant_id, consent, id);
