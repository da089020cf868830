-- name: GetPosition :one
select * from positions_v1 where tenant_id = @tenant_id and id = @id;

-- name: GetForUpdatePosition :one
select * from positions_v1 where tenant_id = @tenant_id and id = @id for update;

-- name: LargestPositions :many
select * from positions_v1 where tenant_id = @tenant_id and total_cents >= @at_least
order by total_cents desc, id limit sqlc.arg('limit');

-- name: SavePosition :exec
insert into positions_v1 (tenant_id, id, price_cents, quantity, total_cents)
select @tenant_id, @id, x.price, x.quantity, x.price * x.quantity
from (values (@price_cents::bigint, @quantity::integer)) as x (price, quantity)
on conflict (tenant_id, id) do update
set price_cents = excluded.price_cents, quantity = excluded.quantity, total_cents = excluded.total_cents;

-- name: SetQuantity :execrows
update positions_v1 set quantity = @quantity::integer, total_cents = price_cents * @quantity::integer where tenant_id = @tenant_id and id = @id;

-- name: DeletePosition :execrows
delete from positions_v1 where tenant_id = @tenant_id and id = @id;

-- name: PositionKeys :many
select id from positions_v1
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
