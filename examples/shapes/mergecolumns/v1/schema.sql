create table appointments_v1 (
    tenant_id  uuid not null,
    id         uuid not null,
    title      text not null,
    start_day  date not null,
    start_time time not null,
    primary key (tenant_id, id)
);

create index appointments_v1_start on appointments_v1 (tenant_id, ((start_day + start_time) at time zone 'UTC'), id);
