-- name: GetTask :one
select p.tenant_id, t.id, t.project_id, t.title
from tasks_v1 t join task_projects p on p.id = t.project_id
where p.tenant_id = @tenant_id and t.id = @id;

-- name: GetForUpdateTask :one
select p.tenant_id, t.id, t.project_id, t.title
from tasks_v1 t join task_projects p on p.id = t.project_id
where p.tenant_id = @tenant_id and t.id = @id for update of t;

-- name: ListTasks :many
select p.tenant_id, t.id, t.project_id, t.title
from tasks_v1 t join task_projects p on p.id = t.project_id
where p.tenant_id = @tenant_id and t.id > @after order by t.id limit sqlc.arg('limit');

-- name: SaveTask :exec
insert into tasks_v1 as t (id, project_id, title)
values (@id, (select p.id from task_projects p where p.tenant_id = @tenant_id and p.id = @project_id), @title)
on conflict (id) do update set title = excluded.title,
    project_id = (select excluded.project_id from task_projects p where p.tenant_id = @tenant_id and p.id = t.project_id);

-- name: RenameTask :execrows
update tasks_v1 t set title = @title from task_projects p
where p.tenant_id = @tenant_id and p.id = t.project_id and t.id = @id;

-- name: DeleteTask :execrows
delete from tasks_v1 t using task_projects p
where p.tenant_id = @tenant_id and p.id = t.project_id and t.id = @id;

-- name: TaskKeys :many
select t.id from tasks_v1 t join task_projects p on p.id = t.project_id
where p.tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or t.id > sqlc.narg('after'))
order by t.id limit sqlc.arg('limit');
