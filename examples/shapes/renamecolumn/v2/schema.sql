create table contacts_v2 (
    tenant_id uuid not null,
    id        uuid not null,
    name      text not null,
    phone     text,
    primary key (tenant_id, id)
);

create index contacts_v2_phone on contacts_v2 (tenant_id, phone);
