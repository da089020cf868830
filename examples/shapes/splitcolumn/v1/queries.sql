-- name: GetPerson :one
select * from people_v1.people where tenant_id = @tenant_id and id = @id;

-- name: ListPeople :many
select * from people_v1.people where tenant_id = @tenant_id and id > @after order by id limit sqlc.arg('limit');

-- name: SavePerson :exec
insert into people_v1.people (tenant_id, id, full_name, email, born_on)
values (@tenant_id, @id, @full_name, @email, sqlc.narg('born_on'))
on conflict (tenant_id, id) do update
set full_name = excluded.full_name, email = excluded.email, born_on = excluded.born_on;

-- name: RenamePerson :execrows
update people_v1.people set full_name = @full_name where tenant_id = @tenant_id and id = @id;

-- name: DeletePerson :execrows
delete from people_v1.people where tenant_id = @tenant_id and id = @id;

-- name: PersonKeys :many
select id from people_v1.people
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
