create table members_v2 (
    tenant_id uuid        not null,
    id        uuid        not null,
    email     text        not null,
    joined_at timestamptz not null,
    primary key (tenant_id, id)
);

-- Every member has one.
create table member_profiles_v2 (
    tenant_id uuid not null,
    member_id uuid not null,
    name      text not null,
    bio       text not null,
    website   text,
    primary key (tenant_id, member_id),
    foreign key (tenant_id, member_id) references members_v2 (tenant_id, id) on delete cascade
);

create index member_profiles_v2_name on member_profiles_v2 (tenant_id, name);
