-- name: GetLabel :one
select owning_tenant() as tenant_id, id, name from labels_v1 where @tenant_id::uuid = owning_tenant() and id = @id;

-- name: GetForUpdateLabel :one
select owning_tenant() as tenant_id, id, name from labels_v1 where @tenant_id::uuid = owning_tenant() and id = @id for update;

-- name: LabelByName :one
select owning_tenant() as tenant_id, id, name from labels_v1 where @tenant_id::uuid = owning_tenant() and name = @name;

-- name: SaveLabel :exec
insert into labels_v1 (id, name) values (case when @tenant_id::uuid = owning_tenant() then @id::uuid end, @name)
on conflict (id) do update set name = excluded.name;

-- name: RenameLabel :execrows
update labels_v1 set name = @name where @tenant_id::uuid = owning_tenant() and id = @id;

-- name: DeleteLabel :execrows
delete from labels_v1 where @tenant_id::uuid = owning_tenant() and id = @id;

-- name: LabelKeys :many
select id from labels_v1
where @tenant_id::uuid = owning_tenant() and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
