-- name: GetSubscriber :one
select b.tenant_id, b.id, b.email, s.language, s.newsletter
from subscribers_v1 b left join subscriber_settings_v1 s on s.tenant_id = b.tenant_id and s.subscriber_id = b.id
where b.tenant_id = @tenant_id and b.id = @id;

-- name: LockSubscriber :one
select id from subscribers_v1 where tenant_id = @tenant_id and id = @id for update;

-- name: LockSettings :exec
select 1 from subscriber_settings_v1 where tenant_id = @tenant_id and subscriber_id = @id for update;

-- name: ByLanguage :many
select b.tenant_id, b.id, b.email, s.language, s.newsletter
from subscribers_v1 b left join subscriber_settings_v1 s on s.tenant_id = b.tenant_id and s.subscriber_id = b.id
where b.tenant_id = @tenant_id and s.language = @language
order by b.id limit sqlc.arg('limit');

-- name: SaveSubscriber :exec
with subscriber as (
    insert into subscribers_v1 (tenant_id, id, email) values (@tenant_id, @id, @email)
    on conflict (tenant_id, id) do update set email = excluded.email
), gone as (
    delete from subscriber_settings_v1
    where tenant_id = @tenant_id and subscriber_id = @id and sqlc.narg('language')::text is null
)
insert into subscriber_settings_v1 (tenant_id, subscriber_id, language, newsletter)
select @tenant_id, @id, sqlc.narg('language')::text, sqlc.narg('newsletter')::boolean
where sqlc.narg('language')::text is not null
on conflict (tenant_id, subscriber_id) do update set language = excluded.language, newsletter = excluded.newsletter;

-- name: ChangeLanguage :execrows
update subscriber_settings_v1 set language = @language where tenant_id = @tenant_id and subscriber_id = @id;

-- name: DeleteSubscriber :execrows
delete from subscribers_v1 where tenant_id = @tenant_id and id = @id;

-- name: SubscriberKeys :many
select id from subscribers_v1
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
