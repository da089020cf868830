create table contacts_v1 (
    tenant_id uuid not null,
    id        uuid not null,
    name      text not null,
    mobile    text,
    primary key (tenant_id, id)
);

create index contacts_v1_mobile on contacts_v1 (tenant_id, mobile);
