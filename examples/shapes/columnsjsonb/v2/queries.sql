-- name: GetDevice :one
select * from devices_v2 where tenant_id = @tenant_id and id = @id;

-- name: GetForUpdate :one
select * from devices_v2 where tenant_id = @tenant_id and id = @id for update;

-- name: ByFirmware :many
select * from devices_v2
where tenant_id = @tenant_id and state ->> 'firmware' = @firmware::text
order by id limit sqlc.arg('limit');

-- name: SaveDevice :exec
insert into devices_v2 (tenant_id, id, serial, state) values (@tenant_id, @id, @serial, @state)
on conflict (tenant_id, id) do update set serial = excluded.serial, state = excluded.state;

-- name: CountPulses :one
update devices_v2
set state = state || jsonb_build_object('pulses', (state ->> 'pulses')::bigint + @more::bigint)
where tenant_id = @tenant_id and id = @id
returning (state ->> 'pulses')::bigint as pulses;

-- name: DeleteDevice :execrows
delete from devices_v2 where tenant_id = @tenant_id and id = @id;

-- name: DeviceKeys :many
select id from devices_v2
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
