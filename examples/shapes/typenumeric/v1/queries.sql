-- name: GetWare :one
select tenant_id, id, name, round(price::numeric, 2)::numeric as price from wares_v1
where tenant_id = @tenant_id and id = @id;

-- name: Cheapest :many
select tenant_id, id, name, round(price::numeric, 2)::numeric as price from wares_v1
where tenant_id = @tenant_id and round(price::numeric, 2) <= @most::numeric
order by round(wares_v1.price::numeric, 2), id limit sqlc.arg('limit');

-- name: SaveWare :exec
insert into wares_v1 (tenant_id, id, name, price)
values (@tenant_id, @id, @name, cast(@price as numeric(12, 2)))
on conflict (tenant_id, id) do update set name = excluded.name, price = excluded.price;

-- name: RaiseWare :one
update wares_v1 set price = cast(round(price::numeric, 2) + @by::numeric as numeric(12, 2))
where tenant_id = @tenant_id and id = @id
returning round(price::numeric, 2)::numeric as price;

-- name: DeleteWare :execrows
delete from wares_v1
where tenant_id = @tenant_id and id = @id;

-- name: WareKeys :many
select id from wares_v1
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
