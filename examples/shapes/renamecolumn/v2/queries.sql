-- name: GetContact :one
select * from contacts_v2 where tenant_id = @tenant_id and id = @id;

-- name: GetForUpdate :one
select * from contacts_v2 where tenant_id = @tenant_id and id = @id for update;

-- name: ByPhone :many
select * from contacts_v2
where tenant_id = @tenant_id and phone = @phone::text
order by id limit sqlc.arg('limit');

-- name: SaveContact :exec
insert into contacts_v2 (tenant_id, id, name, phone)
values (@tenant_id, @id, @name, sqlc.narg('phone'))
on conflict (tenant_id, id) do update set name = excluded.name, phone = excluded.phone;

-- name: ChangePhone :execrows
update contacts_v2 set phone = sqlc.narg('phone') where tenant_id = @tenant_id and id = @id;

-- name: DeleteContact :execrows
delete from contacts_v2 where tenant_id = @tenant_id and id = @id;

-- name: ContactKeys :many
select id from contacts_v2
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
