create table subscribers_v1 (
    tenant_id uuid not null,
    id        uuid not null,
    email     text not null,
    primary key (tenant_id, id)
);

-- A subscriber without a row here has chosen nothing.
create table subscriber_settings_v1 (
    tenant_id  uuid    not null,
    subscriber_id uuid    not null,
    language   text    not null,
    newsletter boolean not null,
    primary key (tenant_id, subscriber_id),
    foreign key (tenant_id, subscriber_id) references subscribers_v1 (tenant_id, id) on delete cascade
);
