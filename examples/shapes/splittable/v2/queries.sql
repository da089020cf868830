-- name: GetMember :one
select m.tenant_id, m.id, m.email, m.joined_at, p.name, p.bio, p.website
from members_v2 m join member_profiles_v2 p on p.tenant_id = m.tenant_id and p.member_id = m.id
where m.tenant_id = @tenant_id and m.id = @id;

-- name: GetForUpdate :one
-- Both rows are locked: one that waited would otherwise see the profile as it was.
select m.tenant_id, m.id, m.email, m.joined_at, p.name, p.bio, p.website
from members_v2 m join member_profiles_v2 p on p.tenant_id = m.tenant_id and p.member_id = m.id
where m.tenant_id = @tenant_id and m.id = @id
for update of m, p;

-- name: ByName :many
select m.tenant_id, m.id, m.email, m.joined_at, p.name, p.bio, p.website
from members_v2 m join member_profiles_v2 p on p.tenant_id = m.tenant_id and p.member_id = m.id
where p.tenant_id = @tenant_id and p.name = @name
order by m.id limit sqlc.arg('limit');

-- name: SaveMember :exec
with member as (
    insert into members_v2 (tenant_id, id, email, joined_at)
    values (@tenant_id, @id, @email, @joined_at)
    on conflict (tenant_id, id) do update set email = excluded.email, joined_at = excluded.joined_at
)
insert into member_profiles_v2 (tenant_id, member_id, name, bio, website)
values (@tenant_id, @id, @name, @bio, sqlc.narg('website'))
on conflict (tenant_id, member_id) do update
set name = excluded.name, bio = excluded.bio, website = excluded.website;

-- name: ChangeEmail :execrows
update members_v2 set email = @email where tenant_id = @tenant_id and id = @id;

-- name: ChangeBio :execrows
update member_profiles_v2 set bio = @bio where tenant_id = @tenant_id and member_id = @id;

-- name: DeleteMember :execrows
delete from members_v2 where tenant_id = @tenant_id and id = @id;

-- name: MemberKeys :many
select id from members_v2
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
