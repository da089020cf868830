-- name: GetMember :one
select * from members_v1 where tenant_id = @tenant_id and id = @id;

-- name: GetForUpdate :one
select * from members_v1 where tenant_id = @tenant_id and id = @id for update;

-- name: ByName :many
select * from members_v1 where tenant_id = @tenant_id and name = @name order by id limit sqlc.arg('limit');

-- name: SaveMember :exec
insert into members_v1 (tenant_id, id, email, joined_at, name, bio, website)
values (@tenant_id, @id, @email, @joined_at, @name, @bio, sqlc.narg('website'))
on conflict (tenant_id, id) do update
set email = excluded.email, joined_at = excluded.joined_at,
    name = excluded.name, bio = excluded.bio, website = excluded.website;

-- name: ChangeEmail :execrows
update members_v1 set email = @email where tenant_id = @tenant_id and id = @id;

-- name: ChangeBio :execrows
update members_v1 set bio = @bio where tenant_id = @tenant_id and id = @id;

-- name: DeleteMember :execrows
delete from members_v1 where tenant_id = @tenant_id and id = @id;

-- name: MemberKeys :many
select id from members_v1
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
