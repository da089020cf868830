create type parcel_status as enum ('packed', 'shipped', 'delivered');

create table parcels_v2 (
    tenant_id uuid          not null,
    id        uuid          not null,
    address   text          not null,
    status    parcel_status not null,
    primary key (tenant_id, id)
);

create index parcels_v2_status on parcels_v2 (tenant_id, status, id);
