create table devices_v2 (
    tenant_id uuid  not null,
    id        uuid  not null,
    serial    text  not null,
    state     jsonb not null,
    primary key (tenant_id, id)
);

create index devices_v2_firmware on devices_v2 (tenant_id, (state ->> 'firmware'));
