-- name: GetPerson :one
select * from people_v2.people where tenant_id = @tenant_id and id = @id;

-- name: ListPeople :many
select * from people_v2.people where tenant_id = @tenant_id and id > @after order by id limit sqlc.arg('limit');

-- name: SavePerson :exec
insert into people_v2.people (tenant_id, id, first_name, last_name, email, born_on)
values (@tenant_id, @id, @first_name, @last_name, @email, sqlc.narg('born_on'))
on conflict (tenant_id, id) do update
set first_name = excluded.first_name, last_name = excluded.last_name, email = excluded.email, born_on = excluded.born_on;

-- name: RenamePerson :execrows
update people_v2.people set first_name = @first_name, last_name = @last_name where tenant_id = @tenant_id and id = @id;

-- name: DeletePerson :execrows
delete from people_v2.people where tenant_id = @tenant_id and id = @id;

-- name: PersonKeys :many
select id from people_v2.people
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
