-- name: GetComment :one
select * from comments_v1 where tenant_id = @tenant_id and id = @id;

-- name: GetForUpdate :one
select * from comments_v1 where tenant_id = @tenant_id and id = @id for update;

-- name: BySubject :many
select * from comments_v1
where tenant_id = @tenant_id and subject_kind = @subject_kind and subject_id = @subject_id
order by id limit sqlc.arg('limit');

-- name: SaveComment :exec
insert into comments_v1 (tenant_id, id, subject_kind, subject_id, body, written_at)
values (@tenant_id, @id, @subject_kind, @subject_id, @body, @written_at)
on conflict (tenant_id, id) do update
set subject_kind = excluded.subject_kind, subject_id = excluded.subject_id,
    body = excluded.body, written_at = excluded.written_at;

-- name: ChangeSubject :execrows
update comments_v1 set subject_kind = @subject_kind, subject_id = @subject_id
where tenant_id = @tenant_id and id = @id;

-- name: DeleteComment :execrows
delete from comments_v1 where tenant_id = @tenant_id and id = @id;

-- name: CommentKeys :many
select id from comments_v1
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
