-- name: GetPatient :one
select * from patients_v1 where tenant_id = @tenant_id and id = @id;

-- name: GetForUpdatePatient :one
select * from patients_v1 where tenant_id = @tenant_id and id = @id for update;

-- name: PatientByEmail :many
select * from patients_v1 where tenant_id = @tenant_id and email = @email order by id;

-- name: SavePatient :exec
insert into patients_v1 (tenant_id, id, name, email) values (@tenant_id, @id, @name, @email)
on conflict (tenant_id, id) do update
set name = excluded.name, email = excluded.email;

-- name: UpdateEmail :execrows
update patients_v1 set email = @email where tenant_id = @tenant_id and id = @id;

-- name: DeletePatient :execrows
delete from patients_v1 where tenant_id = @tenant_id and id = @id;

-- name: PatientKeys :many
select id from patients_v1
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
