-- name: GetArticle :one
select * from forms_v1.articles where tenant_id = @tenant_id and id = @id;

-- name: FindArticle :one
select * from forms_v1.articles where tenant_id = @tenant_id and title = @title order by id limit 1;

-- name: ListArticles :many
select * from forms_v1.articles where tenant_id = @tenant_id and id > @after order by id limit sqlc.arg('limit');

-- name: Headings :many
select id, title from forms_v1.articles where tenant_id = @tenant_id order by id;

-- name: Titles :many
select title from forms_v1.articles where tenant_id = @tenant_id;

-- name: Count :one
select count(*) from forms_v1.articles where tenant_id = @tenant_id;

-- name: Ranks :many
select rank from forms_v1.articles where tenant_id = @tenant_id and id = any(@ids::bigint[]) order by id;

-- name: LockArticle :one
select id from forms_v1.articles where tenant_id = @tenant_id and id = @id for update;

-- name: SaveArticle :exec
insert into forms_v1.articles (tenant_id, id, title, tags, status, rank, note, extra, price, author_name, author_email, written)
values (@tenant_id, @id, @title, @tags, @status, @rank, sqlc.narg('note'), sqlc.narg('extra'), @price, @author_name, @author_email, @written)
on conflict (tenant_id, id) do update
set title = excluded.title, tags = excluded.tags, status = excluded.status, rank = excluded.rank, note = excluded.note,
    extra = excluded.extra, price = excluded.price, author_name = excluded.author_name, author_email = excluded.author_email,
    written = excluded.written;

-- name: Rename :execresult
update forms_v1.articles set title = @title where tenant_id = @tenant_id and id = @id;

-- name: Raise :one
update forms_v1.articles set rank = rank + sqlc.arg('by') where tenant_id = @tenant_id and id = @id returning rank;

-- name: Archive :execrows
update forms_v1.articles set status = 'archived' where tenant_id = @tenant_id and written < sqlc.arg('before');

-- name: Purge :execrows
delete from forms_v1.articles where tenant_id = @tenant_id;

-- name: DeleteAll :exec
delete from forms_v1.articles where tenant_id = @tenant_id and id = any(@ids::bigint[]);

-- name: DeleteArticle :execrows
delete from forms_v1.articles where tenant_id = @tenant_id and id = @id;

-- name: Keys :many
select id from forms_v1.articles
where tenant_id = @tenant_id and (sqlc.narg('after')::bigint is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
