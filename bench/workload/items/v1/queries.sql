-- name: Item :one
select tenant, id, name, stock, price_cents, updated_at from bench.items where tenant = @tenant and id = @id;

-- name: SetStock :exec
update bench.items set stock = @stock, updated_at = @updated_at where tenant = @tenant and id = @id;

-- name: SaveItem :exec
insert into bench.items (tenant, id, name, stock, price_cents, updated_at)
values (@tenant, @id, @name, @stock, @price_cents, @updated_at)
on conflict (tenant, id) do update
set name = excluded.name, stock = excluded.stock, price_cents = excluded.price_cents, updated_at = excluded.updated_at;

-- name: DeleteItem :exec
delete from bench.items where tenant = @tenant and id = @id;

-- name: ItemIDs :many
select id from bench.items where tenant = @tenant and id > @after order by id limit @max_rows;
