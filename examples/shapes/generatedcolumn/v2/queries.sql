-- name: GetPosition :one
select * from positions_v2 where tenant_id = @tenant_id and id = @id;

-- name: GetForUpdatePosition :one
select * from positions_v2 where tenant_id = @tenant_id and id = @id for update;

-- name: LargestPositions :many
select * from positions_v2 where tenant_id = @tenant_id and total_cents >= @at_least
order by total_cents desc, id limit sqlc.arg('limit');

-- name: SavePosition :exec
insert into positions_v2 (tenant_id, id, price_cents, quantity) values (@tenant_id, @id, @price_cents, @quantity)
on conflict (tenant_id, id) do update set price_cents = excluded.price_cents, quantity = excluded.quantity;

-- name: SetQuantity :execrows
update positions_v2 set quantity = @quantity where tenant_id = @tenant_id and id = @id;

-- name: DeletePosition :execrows
delete from positions_v2 where tenant_id = @tenant_id and id = @id;

-- name: PositionKeys :many
select id from positions_v2
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
