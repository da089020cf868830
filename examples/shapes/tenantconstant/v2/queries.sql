-- name: GetLabel :one
select * from labels_v2 where tenant_id = @tenant_id and id = @id;

-- name: GetForUpdateLabel :one
select * from labels_v2 where tenant_id = @tenant_id and id = @id for update;

-- name: LabelByName :one
select * from labels_v2 where tenant_id = @tenant_id and name = @name;

-- name: SaveLabel :exec
insert into labels_v2 (tenant_id, id, name) values (@tenant_id, @id, @name)
on conflict (tenant_id, id) do update set name = excluded.name;

-- name: RenameLabel :execrows
update labels_v2 set name = @name where tenant_id = @tenant_id and id = @id;

-- name: DeleteLabel :execrows
delete from labels_v2 where tenant_id = @tenant_id and id = @id;

-- name: LabelKeys :many
select id from labels_v2
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
