-- name: GetRecipient :one
select * from recipients_v2 where tenant_id = @tenant_id and id = @id;

-- name: ByConsent :many
select * from recipients_v2
where tenant_id = @tenant_id and consent = @consent
order by id limit sqlc.arg('limit');

-- name: SaveRecipient :exec
insert into recipients_v2 (tenant_id, id, email, consent)
values (@tenant_id, @id, @email, @consent::recipient_consent)
on conflict (tenant_id, id) do update set email = excluded.email, consent = excluded.consent;

-- name: SetConsent :execrows
update recipients_v2 set consent = @consent::recipient_consent where tenant_id = @tenant_id and id = @id;

-- name: DeleteRecipient :execrows
delete from recipients_v2 where tenant_id = @tenant_id and id = @id;

-- name: RecipientKeys :many
select id from recipients_v2
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
