-- name: GetPatient :one
select * from patients_v2 where tenant_id = @tenant_id and id = @id;

-- name: GetForUpdatePatient :one
select * from patients_v2 where tenant_id = @tenant_id and id = @id for update;

-- name: PatientByEmail :many
select * from patients_v2 where tenant_id = @tenant_id and email_hash = @email_hash order by id;

-- name: SavePatient :exec
insert into patients_v2 (tenant_id, id, name, email_hash, email_box) values (@tenant_id, @id, @name, @email_hash, @email_box)
on conflict (tenant_id, id) do update
set name = excluded.name, email_hash = excluded.email_hash, email_box = excluded.email_box;

-- name: UpdateEmail :execrows
update patients_v2 set email_hash = @email_hash, email_box = @email_box where tenant_id = @tenant_id and id = @id;

-- name: DeletePatient :execrows
delete from patients_v2 where tenant_id = @tenant_id and id = @id;

-- name: PatientKeys :many
select id from patients_v2
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
