create table accounts_v1 (
    tenant_id uuid not null,
    id        uuid not null,
    email     text not null,
    primary key (tenant_id, id)
);

-- An account without a row here has chosen nothing.
create table account_settings_v1 (
    tenant_id  uuid    not null,
    account_id uuid    not null,
    language   text    not null,
    newsletter boolean not null,
    primary key (tenant_id, account_id),
    foreign key (tenant_id, account_id) references accounts_v1 (tenant_id, id) on delete cascade
);
