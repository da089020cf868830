-- name: GetWare :one
select * from wares_v2 where tenant_id = @tenant_id and id = @id;

-- name: Cheapest :many
select * from wares_v2
where tenant_id = @tenant_id and price <= @most::numeric
order by wares_v2.price, id limit sqlc.arg('limit');

-- name: SaveWare :exec
insert into wares_v2 (tenant_id, id, name, price)
values (@tenant_id, @id, @name, @price)
on conflict (tenant_id, id) do update set name = excluded.name, price = excluded.price;

-- name: RaiseWare :one
update wares_v2 set price = price + @by::numeric
where tenant_id = @tenant_id and id = @id
returning price;

-- name: DeleteWare :execrows
delete from wares_v2 where tenant_id = @tenant_id and id = @id;

-- name: WareKeys :many
select id from wares_v2
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
