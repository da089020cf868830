-- name: GetAppointment :one
select * from appointments_v2 where tenant_id = @tenant_id and id = @id;

-- name: Between :many
select * from appointments_v2
where tenant_id = @tenant_id and starts_at >= sqlc.arg('from') and starts_at < @until
order by starts_at, id
limit sqlc.arg('limit');

-- name: SaveAppointment :exec
insert into appointments_v2 (tenant_id, id, title, starts_at)
values (@tenant_id, @id, @title, @starts_at)
on conflict (tenant_id, id) do update set title = excluded.title, starts_at = excluded.starts_at;

-- name: MoveAppointment :execrows
update appointments_v2 set starts_at = @starts_at where tenant_id = @tenant_id and id = @id;

-- name: DeleteAppointment :execrows
delete from appointments_v2 where tenant_id = @tenant_id and id = @id;

-- name: AppointmentKeys :many
select id from appointments_v2
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
