-- name: GetTask :one
select * from tasks_v2 where tenant_id = @tenant_id and id = @id;

-- name: GetForUpdateTask :one
select * from tasks_v2 where tenant_id = @tenant_id and id = @id for update;

-- name: ListTasks :many
select * from tasks_v2 where tenant_id = @tenant_id and id > @after order by id limit sqlc.arg('limit');

-- name: SaveTask :exec
insert into tasks_v2 (tenant_id, id, project_id, title) values (@tenant_id, @id, @project_id, @title)
on conflict (tenant_id, id) do update set project_id = excluded.project_id, title = excluded.title;

-- name: RenameTask :execrows
update tasks_v2 set title = @title where tenant_id = @tenant_id and id = @id;

-- name: DeleteTask :execrows
delete from tasks_v2 where tenant_id = @tenant_id and id = @id;

-- name: TaskKeys :many
select id from tasks_v2
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
