-- name: GetVenue :one
select * from venues_v2 where tenant_id = @tenant_id and id = @id;

-- name: GetForUpdate :one
select * from venues_v2 where tenant_id = @tenant_id and id = @id for update;

-- name: ByCity :many
select * from venues_v2 where tenant_id = @tenant_id and city = @city order by id limit sqlc.arg('limit');

-- name: SaveVenue :exec
insert into venues_v2 (tenant_id, id, name, city, seats, opened_at, tags)
values (@tenant_id, @id, @name, @city, sqlc.narg('seats'), @opened_at, coalesce(@tags::text[], '{}'))
on conflict (tenant_id, id) do update
set name = excluded.name, city = excluded.city, seats = excluded.seats,
    opened_at = excluded.opened_at, tags = excluded.tags;

-- name: ChangeCity :execrows
update venues_v2 set city = @city where tenant_id = @tenant_id and id = @id;

-- name: DeleteVenue :execrows
delete from venues_v2 where tenant_id = @tenant_id and id = @id;

-- name: VenueKeys :many
select id from venues_v2
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
