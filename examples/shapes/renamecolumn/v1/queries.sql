-- name: GetContact :one
select tenant_id, id, name, mobile as phone from contacts_v1 where tenant_id = @tenant_id and id = @id;

-- name: GetForUpdate :one
select tenant_id, id, name, mobile as phone from contacts_v1 where tenant_id = @tenant_id and id = @id for update;

-- name: ByPhone :many
select tenant_id, id, name, mobile as phone from contacts_v1
where tenant_id = @tenant_id and mobile = @phone::text
order by id limit sqlc.arg('limit');

-- name: SaveContact :exec
insert into contacts_v1 (tenant_id, id, name, mobile)
values (@tenant_id, @id, @name, sqlc.narg('phone'))
on conflict (tenant_id, id) do update set name = excluded.name, mobile = excluded.mobile;

-- name: ChangePhone :execrows
update contacts_v1 set mobile = sqlc.narg('phone') where tenant_id = @tenant_id and id = @id;

-- name: DeleteContact :execrows
delete from contacts_v1 where tenant_id = @tenant_id and id = @id;

-- name: ContactKeys :many
select id from contacts_v1
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
