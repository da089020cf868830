-- name: GetParcel :one
select * from parcels_v1 where tenant_id = @tenant_id and id = @id;

-- name: ByStatus :many
select * from parcels_v1
where tenant_id = @tenant_id and lower(btrim(status)) = @status::text
order by id limit sqlc.arg('limit');

-- name: SaveParcel :exec
insert into parcels_v1 (tenant_id, id, address, status)
values (@tenant_id, @id, @address, @status)
on conflict (tenant_id, id) do update set address = excluded.address, status = excluded.status;

-- name: SetStatus :execrows
update parcels_v1 set status = @status where tenant_id = @tenant_id and id = @id;

-- name: DeleteParcel :execrows
delete from parcels_v1 where tenant_id = @tenant_id and id = @id;

-- name: ParcelKeys :many
select id from parcels_v1
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
