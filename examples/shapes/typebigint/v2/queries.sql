-- name: GetArticle :one
select * from articles_v2
where tenant_id = @tenant_id and id = @id;

-- name: MostRead :many
select * from articles_v2
where tenant_id = @tenant_id and reads >= @least
order by articles_v2.reads desc, articles_v2.id limit sqlc.arg('limit');

-- name: SaveArticle :exec
insert into articles_v2 (tenant_id, id, title, reads)
values (@tenant_id, @id, @title, @reads)
on conflict (tenant_id, id) do update set title = excluded.title, reads = excluded.reads;

-- name: AddReads :one
update articles_v2 set reads = reads + @more::bigint
where tenant_id = @tenant_id and id = @id
returning reads;

-- name: DeleteArticle :execrows
delete from articles_v2 where tenant_id = @tenant_id and id = @id;

-- name: ArticleKeys :many
select id from articles_v2
where tenant_id = @tenant_id and (sqlc.narg('after')::bigint is null or id > sqlc.narg('after')::bigint)
order by articles_v2.id limit sqlc.arg('limit');
