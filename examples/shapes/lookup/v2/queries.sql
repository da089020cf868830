-- name: GetProduct :one
select p.tenant_id, p.id, p.name, c.name as category, p.price_cents
from products_v2 p join categories_v2 c on c.tenant_id = p.tenant_id and c.id = p.category_id
where p.tenant_id = @tenant_id and p.id = @id;

-- name: LockProduct :one
select id from products_v2 where tenant_id = @tenant_id and id = @id for update;

-- name: ByCategory :many
select p.tenant_id, p.id, p.name, c.name as category, p.price_cents
from products_v2 p join categories_v2 c on c.tenant_id = p.tenant_id and c.id = p.category_id
where c.tenant_id = @tenant_id and c.name = @category
order by p.id limit sqlc.arg('limit');

-- name: AddCategory :exec
insert into categories_v2 (tenant_id, name) values (@tenant_id, @name) on conflict (tenant_id, name) do nothing;

-- name: SaveProduct :exec
insert into products_v2 (tenant_id, id, name, category_id, price_cents)
values (@tenant_id, @id, @name,
    (select c.id from categories_v2 c where c.tenant_id = @tenant_id and c.name = @category), @price_cents)
on conflict (tenant_id, id) do update
set name = excluded.name, category_id = excluded.category_id, price_cents = excluded.price_cents;

-- name: ChangeCategory :execrows
update products_v2 p
set category_id = (select c.id from categories_v2 c where c.tenant_id = @tenant_id and c.name = @category)
where p.tenant_id = @tenant_id and p.id = @id;

-- name: DeleteProduct :execrows
delete from products_v2 where tenant_id = @tenant_id and id = @id;

-- name: ProductKeys :many
select id from products_v2
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
