create table shipments_v2 (
    tenant_id uuid        not null,
    id        uuid        not null,
    sent_at   timestamptz not null,
    primary key (tenant_id, id)
);

create table parcels_v2 (
    tenant_id   uuid    not null,
    shipment_id uuid    not null,
    parcel_no   integer not null,
    barcode     text    not null,
    grams       integer not null,
    carrier     text    not null,
    primary key (tenant_id, shipment_id, parcel_no),
    foreign key (tenant_id, shipment_id) references shipments_v2 (tenant_id, id) on delete cascade
);
