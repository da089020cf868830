-- name: GetAccount :one
select b.tenant_id, b.id, b.email, s.language, s.newsletter
from accounts_v1 b left join account_settings_v1 s on s.tenant_id = b.tenant_id and s.account_id = b.id
where b.tenant_id = @tenant_id and b.id = @id;

-- name: LockAccount :one
select id from accounts_v1 where tenant_id = @tenant_id and id = @id for update;

-- name: LockSettings :exec
select 1 from account_settings_v1 where tenant_id = @tenant_id and account_id = @id for update;

-- name: ByLanguage :many
select b.tenant_id, b.id, b.email, s.language, s.newsletter
from accounts_v1 b left join account_settings_v1 s on s.tenant_id = b.tenant_id and s.account_id = b.id
where b.tenant_id = @tenant_id and s.language = @language
order by b.id limit sqlc.arg('limit');

-- name: SaveAccount :exec
with account as (
    insert into accounts_v1 (tenant_id, id, email) values (@tenant_id, @id, @email)
    on conflict (tenant_id, id) do update set email = excluded.email
), gone as (
    delete from account_settings_v1
    where tenant_id = @tenant_id and account_id = @id and sqlc.narg('language')::text is null
)
insert into account_settings_v1 (tenant_id, account_id, language, newsletter)
select @tenant_id, @id, sqlc.narg('language')::text, sqlc.narg('newsletter')::boolean
where sqlc.narg('language')::text is not null
on conflict (tenant_id, account_id) do update set language = excluded.language, newsletter = excluded.newsletter;

-- name: ChangeLanguage :execrows
update account_settings_v1 set language = @language where tenant_id = @tenant_id and account_id = @id;

-- name: DeleteAccount :execrows
delete from accounts_v1 where tenant_id = @tenant_id and id = @id;

-- name: AccountKeys :many
select id from accounts_v1
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
