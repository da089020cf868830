-- name: GetProduct :one
select * from products_v1 where tenant_id = @tenant_id and id = @id;

-- name: GetForUpdate :one
select * from products_v1 where tenant_id = @tenant_id and id = @id for update;

-- name: ByCategory :many
select * from products_v1
where tenant_id = @tenant_id and category = @category
order by id limit sqlc.arg('limit');

-- name: SaveProduct :exec
insert into products_v1 (tenant_id, id, name, category, price_cents)
values (@tenant_id, @id, @name, @category, @price_cents)
on conflict (tenant_id, id) do update
set name = excluded.name, category = excluded.category, price_cents = excluded.price_cents;

-- name: ChangeCategory :execrows
update products_v1 set category = @category where tenant_id = @tenant_id and id = @id;

-- name: DeleteProduct :execrows
delete from products_v1 where tenant_id = @tenant_id and id = @id;

-- name: ProductKeys :many
select id from products_v1
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
