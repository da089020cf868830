-- name: GetReader :one
select tenant_id, id, name, coalesce(language, 'en')::text as language from readers_v1
where tenant_id = @tenant_id and id = @id;

-- name: ByLanguage :many
select tenant_id, id, name, coalesce(language, 'en')::text as language from readers_v1
where tenant_id = @tenant_id and coalesce(language, 'en') = @language::text
order by id limit sqlc.arg('limit');

-- name: SaveReader :exec
insert into readers_v1 (tenant_id, id, name, language)
values (@tenant_id, @id, @name, @language::text)
on conflict (tenant_id, id) do update set name = excluded.name, language = excluded.language;

-- name: SetLanguage :execrows
update readers_v1 set language = @language::text where tenant_id = @tenant_id and id = @id;

-- name: DeleteReader :execrows
delete from readers_v1 where tenant_id = @tenant_id and id = @id;

-- name: ReaderKeys :many
select id from readers_v1
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
