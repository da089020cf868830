-- name: GetShipment :one
select s.tenant_id, s.id, s.sent_at, s.carrier,
       array(select c.barcode from parcels_v1 c where c.tenant_id = s.tenant_id and c.shipment_id = s.id
             order by c.parcel_no)::text[] as barcodes,
       array(select c.grams from parcels_v1 c where c.tenant_id = s.tenant_id and c.shipment_id = s.id
             order by c.parcel_no)::integer[] as grams
from shipments_v1 s
where s.tenant_id = @tenant_id and s.id = @id;

-- name: LockShipment :one
select id from shipments_v1 where tenant_id = @tenant_id and id = @id for update;

-- name: ByCarrier :many
select s.tenant_id, s.id, s.sent_at, s.carrier,
       array(select c.barcode from parcels_v1 c where c.tenant_id = s.tenant_id and c.shipment_id = s.id
             order by c.parcel_no)::text[] as barcodes,
       array(select c.grams from parcels_v1 c where c.tenant_id = s.tenant_id and c.shipment_id = s.id
             order by c.parcel_no)::integer[] as grams
from shipments_v1 s
where s.tenant_id = @tenant_id and s.carrier = @carrier
order by s.id limit sqlc.arg('limit');

-- name: SaveShipment :exec
with parent as (
    insert into shipments_v1 (tenant_id, id, sent_at, carrier) values (@tenant_id, @id, @sent_at, @carrier)
    on conflict (tenant_id, id) do update set sent_at = excluded.sent_at, carrier = excluded.carrier
), gone as (
    delete from parcels_v1
    where tenant_id = @tenant_id and shipment_id = @id and parcel_no > cardinality(@barcodes::text[])
)
insert into parcels_v1 (tenant_id, shipment_id, parcel_no, barcode, grams)
select @tenant_id, @id, generate_subscripts(@barcodes::text[], 1),
    unnest(@barcodes::text[]), unnest(@grams::integer[])
on conflict (tenant_id, shipment_id, parcel_no) do update
set barcode = excluded.barcode, grams = excluded.grams;

-- name: ChangeCarrier :execrows
update shipments_v1 set carrier = @carrier where tenant_id = @tenant_id and id = @id;

-- name: DeleteShipment :execrows
delete from shipments_v1 where tenant_id = @tenant_id and id = @id;

-- name: ShipmentKeys :many
select id from shipments_v1
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
