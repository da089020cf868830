-- name: GetReader :one
select * from readers_v2
where tenant_id = @tenant_id and id = @id;

-- name: ByLanguage :many
select * from readers_v2
where tenant_id = @tenant_id and language = @language
order by id limit sqlc.arg('limit');

-- name: SaveReader :exec
insert into readers_v2 (tenant_id, id, name, language)
values (@tenant_id, @id, @name, @language)
on conflict (tenant_id, id) do update set name = excluded.name, language = excluded.language;

-- name: SetLanguage :execrows
update readers_v2 set language = @language where tenant_id = @tenant_id and id = @id;

-- name: DeleteReader :execrows
delete from readers_v2 where tenant_id = @tenant_id and id = @id;

-- name: ReaderKeys :many
select id from readers_v2
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
