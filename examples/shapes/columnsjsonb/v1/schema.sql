create table devices_v1 (
    tenant_id uuid             not null,
    id        uuid             not null,
    serial    text             not null,
    firmware  text             not null,
    pulses    bigint           not null,
    gain      double precision not null,
    alias     text,
    primary key (tenant_id, id)
);

create index devices_v1_firmware on devices_v1 (tenant_id, firmware);
