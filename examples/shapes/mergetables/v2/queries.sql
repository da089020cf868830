-- name: GetAccount :one
select * from accounts_v2 where tenant_id = @tenant_id and id = @id;

-- name: GetForUpdate :one
select * from accounts_v2 where tenant_id = @tenant_id and id = @id for update;

-- name: ByLanguage :many
select * from accounts_v2
where tenant_id = @tenant_id and language = @language::text
order by id limit sqlc.arg('limit');

-- name: SaveAccount :exec
insert into accounts_v2 (tenant_id, id, email, language, newsletter)
values (@tenant_id, @id, @email, sqlc.narg('language'), sqlc.narg('newsletter'))
on conflict (tenant_id, id) do update
set email = excluded.email, language = excluded.language, newsletter = excluded.newsletter;

-- name: ChangeLanguage :execrows
update accounts_v2 set language = @language::text
where tenant_id = @tenant_id and id = @id and language is not null;

-- name: DeleteAccount :execrows
delete from accounts_v2 where tenant_id = @tenant_id and id = @id;

-- name: AccountKeys :many
select id from accounts_v2
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
