-- name: GetDevice :one
select * from devices_v1 where tenant_id = @tenant_id and id = @id;

-- name: GetForUpdate :one
select * from devices_v1 where tenant_id = @tenant_id and id = @id for update;

-- name: ByFirmware :many
select * from devices_v1 where tenant_id = @tenant_id and firmware = @firmware order by id limit sqlc.arg('limit');

-- name: SaveDevice :exec
insert into devices_v1 (tenant_id, id, serial, firmware, pulses, gain, alias)
values (@tenant_id, @id, @serial, @firmware, @pulses, @gain, sqlc.narg('alias'))
on conflict (tenant_id, id) do update
set serial = excluded.serial, firmware = excluded.firmware, pulses = excluded.pulses,
    gain = excluded.gain, alias = excluded.alias;

-- name: CountPulses :one
update devices_v1 set pulses = pulses + @more where tenant_id = @tenant_id and id = @id returning pulses;

-- name: DeleteDevice :execrows
delete from devices_v1 where tenant_id = @tenant_id and id = @id;

-- name: DeviceKeys :many
select id from devices_v1
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
