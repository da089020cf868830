-- name: GetLine :one
select tenant_id, order_id, place, article, quantity from lines_v1
where tenant_id = @tenant_id and order_id = @order_id and place = @place;

-- name: GetForUpdateLine :one
select tenant_id, order_id, place, article, quantity from lines_v1
where tenant_id = @tenant_id and order_id = @order_id and place = @place for update;

-- name: ListLines :many
select tenant_id, order_id, place, article, quantity from lines_v1
where tenant_id = @tenant_id and order_id = @order_id order by place;

-- name: SaveLine :exec
insert into lines_v1 (tenant_id, order_id, place, article, quantity)
values (@tenant_id, @order_id, @place, @article, @quantity)
on conflict (tenant_id, order_id, place) do update set article = excluded.article, quantity = excluded.quantity;

-- name: SetQuantity :execrows
update lines_v1 set quantity = @quantity where tenant_id = @tenant_id and order_id = @order_id and place = @place;

-- name: MoveLine :one
update lines_v1 set place = @to_place
where tenant_id = @tenant_id and order_id = @order_id and place = @from_place returning id;

-- name: DeleteLine :execrows
delete from lines_v1 where tenant_id = @tenant_id and order_id = @order_id and place = @place;

-- name: LineKeys :many
select order_id, place from lines_v1
where tenant_id = @tenant_id
  and (sqlc.narg('after_order')::uuid is null or (order_id, place) > (sqlc.narg('after_order'), sqlc.narg('after_place')::integer))
order by order_id, place limit sqlc.arg('limit');
