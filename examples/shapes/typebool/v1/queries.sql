-- name: GetRecipient :one
select * from recipients_v1 where tenant_id = @tenant_id and id = @id;

-- name: ByConsent :many
select * from recipients_v1
where tenant_id = @tenant_id
  and case when consent then 'given' when not consent then 'refused' else 'unasked' end = @consent::text
order by id limit sqlc.arg('limit');

-- name: SaveRecipient :exec
insert into recipients_v1 (tenant_id, id, email, consent)
values (@tenant_id, @id, @email, sqlc.narg('consent'))
on conflict (tenant_id, id) do update set email = excluded.email, consent = excluded.consent;

-- name: SetConsent :execrows
update recipients_v1 set consent = sqlc.narg('consent') where tenant_id = @tenant_id and id = @id;

-- name: DeleteRecipient :execrows
delete from recipients_v1 where tenant_id = @tenant_id and id = @id;

-- name: RecipientKeys :many
select id from recipients_v1
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
