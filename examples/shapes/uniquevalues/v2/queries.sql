-- name: GetPlayer :one
select * from players_v2 where tenant_id = @tenant_id and id = @id;

-- name: GetForUpdatePlayer :one
select * from players_v2 where tenant_id = @tenant_id and id = @id for update;

-- name: PlayerByLogin :one
select * from players_v2 where tenant_id = @tenant_id and login = @login;

-- name: ListPlayers :many
select * from players_v2 where tenant_id = @tenant_id and id > @after order by id limit sqlc.arg('limit');

-- name: SavePlayer :exec
insert into players_v2 (tenant_id, id, login, score) values (@tenant_id, @id, @login, @score)
on conflict (tenant_id, id) do update set login = excluded.login, score = excluded.score;

-- name: RenamePlayer :execrows
update players_v2 set login = @login where tenant_id = @tenant_id and id = @id;

-- name: SwapPlayer :one
update players_v2 p set login = o.login from players_v2 o
where p.tenant_id = @tenant_id and o.tenant_id = @tenant_id
  and (p.id = @first_id and o.id = @second_id or p.id = @second_id and o.id = @first_id)
returning p.id;

-- name: DeletePlayer :execrows
delete from players_v2 where tenant_id = @tenant_id and id = @id;

-- name: PlayerKeys :many
select id from players_v2
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
