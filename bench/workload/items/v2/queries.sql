-- name: Item :one
select tenant, id, title, on_hand, price_cents, changed_at from bench.articles where tenant = @tenant and id = @id;

-- name: SetStock :exec
update bench.articles set on_hand = @on_hand, changed_at = @changed_at where tenant = @tenant and id = @id;

-- name: SaveItem :exec
insert into bench.articles (tenant, id, title, on_hand, price_cents, changed_at)
values (@tenant, @id, @title, @on_hand, @price_cents, @changed_at)
on conflict (tenant, id) do update
set title = excluded.title, on_hand = excluded.on_hand, price_cents = excluded.price_cents, changed_at = excluded.changed_at;

-- name: DeleteItem :exec
delete from bench.articles where tenant = @tenant and id = @id;

-- name: ItemIDs :many
select id from bench.articles where tenant = @tenant and id > @after order by id limit @max_rows;
