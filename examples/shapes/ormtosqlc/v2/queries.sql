-- name: GetListener :one
select * from listeners where tenant_id = @tenant_id and id = @id and deleted_at is null;

-- name: GetForUpdateListener :one
select * from listeners where tenant_id = @tenant_id and id = @id and deleted_at is null for update;

-- name: ListenerByTopic :many
select * from listeners
where tenant_id = @tenant_id and id > @after and topics @> jsonb_build_array(@topic::text) and deleted_at is null
order by id limit sqlc.arg('limit');

-- name: SaveListener :exec
insert into listeners (tenant_id, id, name, topics, credit_cents, created_at, updated_at)
values (@tenant_id, @id, @name, @topics, @credit_cents, now(), now())
on conflict (tenant_id, id) do update
set name = excluded.name, topics = excluded.topics, credit_cents = excluded.credit_cents,
    updated_at = excluded.updated_at, deleted_at = null;

-- name: AddCredit :one
update listeners set credit_cents = credit_cents + @cents, updated_at = now()
where tenant_id = @tenant_id and id = @id and deleted_at is null returning credit_cents;

-- name: DeleteListener :execrows
update listeners set deleted_at = now() where tenant_id = @tenant_id and id = @id and deleted_at is null;

-- name: ListenerKeys :many
select id from listeners
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after')) and deleted_at is null
order by id limit sqlc.arg('limit');
