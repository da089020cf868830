create table members_v1 (
    tenant_id uuid        not null,
    id        uuid        not null,
    email     text        not null,
    joined_at timestamptz not null,
    name      text        not null,
    bio       text        not null,
    website   text,
    primary key (tenant_id, id)
);

create index members_v1_name on members_v1 (tenant_id, name);
