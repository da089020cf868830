-- name: GetOrder :one
select o.tenant_id, o.id, o.placed_at,
       array(select c.sku from order_lines_v1 c where c.tenant_id = o.tenant_id and c.order_id = o.id
             order by c.line_no)::text[] as skus,
       array(select c.quantity from order_lines_v1 c where c.tenant_id = o.tenant_id and c.order_id = o.id
             order by c.line_no)::integer[] as quantities,
       array(select distinct c.currency from order_lines_v1 c where c.tenant_id = o.tenant_id and c.order_id = o.id
             order by c.currency)::text[] as currencies
from orders_v1 o
where o.tenant_id = @tenant_id and o.id = @id;

-- name: LockOrder :one
select id from orders_v1 where tenant_id = @tenant_id and id = @id for update;

-- name: LockLines :exec
select 1 from order_lines_v1 where tenant_id = @tenant_id and order_id = @id order by line_no for update;

-- name: ByCurrency :many
select o.tenant_id, o.id, o.placed_at,
       array(select c.sku from order_lines_v1 c where c.tenant_id = o.tenant_id and c.order_id = o.id
             order by c.line_no)::text[] as skus,
       array(select c.quantity from order_lines_v1 c where c.tenant_id = o.tenant_id and c.order_id = o.id
             order by c.line_no)::integer[] as quantities,
       array(select distinct c.currency from order_lines_v1 c where c.tenant_id = o.tenant_id and c.order_id = o.id
             order by c.currency)::text[] as currencies
from orders_v1 o
where o.tenant_id = @tenant_id and exists (
    select from order_lines_v1 c where c.tenant_id = o.tenant_id and c.order_id = o.id and c.currency = @currency)
order by o.id limit sqlc.arg('limit');

-- name: SaveOrder :exec
with parent as (
    insert into orders_v1 (tenant_id, id, placed_at) values (@tenant_id, @id, @placed_at)
    on conflict (tenant_id, id) do update set placed_at = excluded.placed_at
), gone as (
    delete from order_lines_v1
    where tenant_id = @tenant_id and order_id = @id and line_no > cardinality(@skus::text[])
)
insert into order_lines_v1 (tenant_id, order_id, line_no, sku, quantity, currency)
select @tenant_id, @id, generate_subscripts(@skus::text[], 1),
    unnest(@skus::text[]), unnest(@quantities::integer[]), @currency
on conflict (tenant_id, order_id, line_no) do update
set sku = excluded.sku, quantity = excluded.quantity, currency = excluded.currency;

-- name: ChangeCurrency :execrows
update order_lines_v1 set currency = @currency where tenant_id = @tenant_id and order_id = @id;

-- name: DeleteOrder :execrows
delete from orders_v1 where tenant_id = @tenant_id and id = @id;

-- name: OrderKeys :many
select id from orders_v1
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
