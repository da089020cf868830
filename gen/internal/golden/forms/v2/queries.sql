-- name: GetArticle :one
select sqlc.embed(article), sqlc.embed(author)
from forms_v2.articles article join forms_v2.authors author on author.id = article.author_id
where article.tenant_id = @tenant_id and article.id = @id;

-- name: FindArticle :one
select sqlc.embed(article), sqlc.embed(author)
from forms_v2.articles article join forms_v2.authors author on author.id = article.author_id
where article.tenant_id = @tenant_id and article.title = @title order by article.id limit 1;

-- name: ListArticles :many
select sqlc.embed(article), sqlc.embed(author)
from forms_v2.articles article join forms_v2.authors author on author.id = article.author_id
where article.tenant_id = @tenant_id and article.id > @after order by article.id limit sqlc.arg('limit');

-- name: Headings :many
select id, title from forms_v2.articles where tenant_id = @tenant_id order by id;

-- name: Titles :many
select title from forms_v2.articles where tenant_id = @tenant_id;

-- name: Count :one
select count(*) from forms_v2.articles where tenant_id = @tenant_id;

-- name: Ranks :batchone
select rank from forms_v2.articles where tenant_id = @tenant_id and id = @id;

-- name: LockArticle :one
select id from forms_v2.articles where tenant_id = @tenant_id and id = @id for update;

-- name: SaveArticle :exec
with author as (
    insert into forms_v2.authors (name, email) values (@author_name, @author_email)
    on conflict (email) do update set name = excluded.name returning id
)
insert into forms_v2.articles (tenant_id, id, title, tags, status, rank, note, extra, price, author_id, written)
select @tenant_id, @id, @title, @tags::text[], @status, @rank, sqlc.narg('note'), sqlc.narg('extra'), @price, author.id, @written from author
on conflict (tenant_id, id) do update
set title = excluded.title, tags = excluded.tags, status = excluded.status, rank = excluded.rank, note = excluded.note,
    extra = excluded.extra, price = excluded.price, author_id = excluded.author_id, written = excluded.written;

-- name: SaveAllArticles :batchexec
with author as (
    insert into forms_v2.authors (name, email) values (@author_name, @author_email)
    on conflict (email) do update set name = excluded.name returning id
)
insert into forms_v2.articles (tenant_id, id, title, tags, status, rank, note, extra, price, author_id, written)
select @tenant_id, @id, @title, @tags::text[], @status, @rank, sqlc.narg('note'), sqlc.narg('extra'), @price, author.id, @written from author
on conflict (tenant_id, id) do update
set title = excluded.title, tags = excluded.tags, status = excluded.status, rank = excluded.rank, note = excluded.note,
    extra = excluded.extra, price = excluded.price, author_id = excluded.author_id, written = excluded.written;

-- name: Import :copyfrom
insert into forms_v2.articles (tenant_id, id, title, tags, status, rank, note, extra, price, author_id, written)
values (@tenant_id, @id, @title, @tags, @status, @rank, @note, @extra, @price, @author_id, @written);

-- name: Rename :execrows
update forms_v2.articles set title = @title where tenant_id = @tenant_id and id = @id;

-- name: Raise :one
update forms_v2.articles set rank = rank + sqlc.arg('by') where tenant_id = @tenant_id and id = @id returning rank;

-- name: Archive :execresult
update forms_v2.articles set status = 'archived' where tenant_id = @tenant_id and written < sqlc.arg('before');

-- name: Purge :exec
delete from forms_v2.articles where tenant_id = @tenant_id;

-- name: DeleteAll :batchexec
delete from forms_v2.articles where tenant_id = @tenant_id and id = @id;

-- name: DeleteArticle :execrows
delete from forms_v2.articles where tenant_id = @tenant_id and id = @id;

-- name: Keys :many
select id from forms_v2.articles
where tenant_id = @tenant_id and (sqlc.narg('after')::bigint is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
