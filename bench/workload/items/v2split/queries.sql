-- name: Item :one
select a.tenant, a.id, a.title, l.on_hand, a.price_cents, a.changed_at
from bench.split_articles a join bench.split_levels l on l.tenant = a.tenant and l.id = a.id
where a.tenant = @tenant and a.id = @id;

-- name: TouchArticle :execrows
update bench.split_articles set changed_at = @changed_at where tenant = @tenant and id = @id;

-- name: SetLevel :execrows
update bench.split_levels set on_hand = @on_hand where tenant = @tenant and id = @id;

-- name: SaveArticle :execrows
insert into bench.split_articles (tenant, id, title, price_cents, changed_at)
values (@tenant, @id, @title, @price_cents, @changed_at)
on conflict (tenant, id) do update
set title = excluded.title, price_cents = excluded.price_cents, changed_at = excluded.changed_at;

-- name: SaveLevel :execrows
insert into bench.split_levels (tenant, id, on_hand) values (@tenant, @id, @on_hand)
on conflict (tenant, id) do update set on_hand = excluded.on_hand;

-- name: DeleteArticle :execrows
delete from bench.split_articles where tenant = @tenant and id = @id;

-- name: DeleteLevel :execrows
delete from bench.split_levels where tenant = @tenant and id = @id;

-- name: ItemIDs :many
select id from bench.split_articles where tenant = @tenant and id > @after order by id limit @max_rows;
