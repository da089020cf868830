-- name: GetComment :one
select * from comments_v2 where tenant_id = @tenant_id and id = @id;

-- name: GetForUpdate :one
select * from comments_v2 where tenant_id = @tenant_id and id = @id for update;

-- name: BySubject :many
select * from comments_v2
where tenant_id = @tenant_id and (post_id = sqlc.narg('post_id') or photo_id = sqlc.narg('photo_id'))
order by id limit sqlc.arg('limit');

-- name: SaveComment :exec
insert into comments_v2 (tenant_id, id, post_id, photo_id, body, written_at)
values (@tenant_id, @id, sqlc.narg('post_id'), sqlc.narg('photo_id'), @body, @written_at)
on conflict (tenant_id, id) do update
set post_id = excluded.post_id, photo_id = excluded.photo_id, body = excluded.body, written_at = excluded.written_at;

-- name: ChangeSubject :execrows
update comments_v2 set post_id = sqlc.narg('post_id'), photo_id = sqlc.narg('photo_id')
where tenant_id = @tenant_id and id = @id;

-- name: DeleteComment :execrows
delete from comments_v2 where tenant_id = @tenant_id and id = @id;

-- name: CommentKeys :many
select id from comments_v2
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
