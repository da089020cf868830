-- name: GetVenue :one
select * from venues_v1 where tenant_id = @tenant_id and id = @id;

-- name: GetForUpdate :one
select * from venues_v1 where tenant_id = @tenant_id and id = @id for update;

-- name: ByCity :many
select * from venues_v1
where tenant_id = @tenant_id and data ->> 'city' = @city::text
order by id limit sqlc.arg('limit');

-- name: SaveVenue :exec
insert into venues_v1 (tenant_id, id, data) values (@tenant_id, @id, @data)
on conflict (tenant_id, id) do update set data = excluded.data;

-- name: ChangeCity :execrows
update venues_v1 set data = data || jsonb_build_object('city', @city::text)
where tenant_id = @tenant_id and id = @id;

-- name: DeleteVenue :execrows
delete from venues_v1 where tenant_id = @tenant_id and id = @id;

-- name: VenueKeys :many
select id from venues_v1
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
