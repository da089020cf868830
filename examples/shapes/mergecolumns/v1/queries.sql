-- name: GetAppointment :one
select * from appointments_v1 where tenant_id = @tenant_id and id = @id;

-- name: Between :many
select * from appointments_v1
where tenant_id = @tenant_id
  and (start_day + start_time) at time zone 'UTC' >= sqlc.arg('from')::timestamptz
  and (start_day + start_time) at time zone 'UTC' < @until::timestamptz
order by (start_day + start_time) at time zone 'UTC', id
limit sqlc.arg('limit');

-- name: SaveAppointment :exec
insert into appointments_v1 (tenant_id, id, title, start_day, start_time)
values (@tenant_id, @id, @title, @start_day, @start_time)
on conflict (tenant_id, id) do update
set title = excluded.title, start_day = excluded.start_day, start_time = excluded.start_time;

-- name: MoveAppointment :execrows
update appointments_v1 set start_day = @start_day, start_time = @start_time
where tenant_id = @tenant_id and id = @id;

-- name: DeleteAppointment :execrows
delete from appointments_v1 where tenant_id = @tenant_id and id = @id;

-- name: AppointmentKeys :many
select id from appointments_v1
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
