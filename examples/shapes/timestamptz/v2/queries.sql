-- name: GetEvent :one
select * from events_v2 where tenant_id = @tenant_id and id = @id;

-- name: Since :many
select * from events_v2
where tenant_id = @tenant_id and at >= @since
order by at, id limit sqlc.arg('limit');

-- name: SaveEvent :exec
insert into events_v2 (tenant_id, id, kind, at)
values (@tenant_id, @id, @kind, @at)
on conflict (tenant_id, id) do update set kind = excluded.kind, at = excluded.at;

-- name: CorrectEvent :execrows
update events_v2 set at = @at where tenant_id = @tenant_id and id = @id;

-- name: DeleteEvent :execrows
delete from events_v2 where tenant_id = @tenant_id and id = @id;

-- name: EventKeys :many
select id from events_v2
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
