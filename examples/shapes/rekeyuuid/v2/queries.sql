-- name: GetWallet :one
select * from wallets_v2 where tenant_id = @tenant_id and id = @id;

-- name: GetForUpdateWallet :one
select * from wallets_v2 where tenant_id = @tenant_id and id = @id for update;

-- name: WalletByNumber :one
select * from wallets_v2 where tenant_id = @tenant_id and number = @number;

-- name: ListWallets :many
select * from wallets_v2 where tenant_id = @tenant_id and number > @after order by number limit sqlc.arg('limit');

-- name: OpenWallet :one
insert into wallets_v2 (tenant_id, owner) values (@tenant_id, @owner) returning *;

-- name: SaveWallet :exec
insert into wallets_v2 (tenant_id, id, number, owner) values (@tenant_id, @id, @number, @owner)
on conflict (tenant_id, id) do update set number = excluded.number, owner = excluded.owner;

-- name: RenameWallet :execrows
update wallets_v2 set owner = @owner where tenant_id = @tenant_id and id = @id;

-- name: DeleteWallet :execrows
delete from wallets_v2 where tenant_id = @tenant_id and id = @id;

-- name: WalletKeys :many
select id from wallets_v2
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
