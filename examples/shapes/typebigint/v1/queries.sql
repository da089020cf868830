-- name: GetArticle :one
select tenant_id, id::bigint as id, title, reads::bigint as reads from articles_v1
where tenant_id = @tenant_id and id = @id::bigint;

-- name: MostRead :many
select tenant_id, id::bigint as id, title, reads::bigint as reads from articles_v1
where tenant_id = @tenant_id and reads >= @least::bigint
order by articles_v1.reads desc, articles_v1.id limit sqlc.arg('limit');

-- name: SaveArticle :exec
insert into articles_v1 (tenant_id, id, title, reads)
values (@tenant_id, @id::bigint, @title, @reads::bigint)
on conflict (tenant_id, id) do update set title = excluded.title, reads = excluded.reads;

-- name: AddReads :one
update articles_v1 set reads = reads + @more::bigint
where tenant_id = @tenant_id and id = @id::bigint
returning reads::bigint;

-- name: DeleteArticle :execrows
delete from articles_v1 where tenant_id = @tenant_id and id = @id::bigint;

-- name: ArticleKeys :many
select id::bigint as id from articles_v1
where tenant_id = @tenant_id and (sqlc.narg('after')::bigint is null or id > sqlc.narg('after')::bigint)
order by articles_v1.id limit sqlc.arg('limit');
