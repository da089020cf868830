-- name: GetWallet :one
select tenant_id, public_id as id, id as number, owner from wallets_v1
where tenant_id = @tenant_id and public_id = @id;

-- name: GetForUpdateWallet :one
select tenant_id, public_id as id, id as number, owner from wallets_v1
where tenant_id = @tenant_id and public_id = @id for update;

-- name: WalletByNumber :one
select tenant_id, public_id as id, id as number, owner from wallets_v1
where tenant_id = @tenant_id and id = @number;

-- name: ListWallets :many
-- The column is named with its table: order by id would mean the output, which is the UUID.
select tenant_id, public_id as id, id as number, owner from wallets_v1
where tenant_id = @tenant_id and id > @after order by wallets_v1.id limit sqlc.arg('limit');

-- name: OpenWallet :one
insert into wallets_v1 (tenant_id, owner) values (@tenant_id, @owner)
returning tenant_id, public_id as id, id as number, owner;

-- name: SaveWallet :exec
insert into wallets_v1 (tenant_id, public_id, id, owner) values (@tenant_id, @id, @number, @owner)
on conflict (tenant_id, public_id) do update set id = excluded.id, owner = excluded.owner;

-- name: RenameWallet :execrows
update wallets_v1 set owner = @owner where tenant_id = @tenant_id and public_id = @id;

-- name: DeleteWallet :execrows
delete from wallets_v1 where tenant_id = @tenant_id and public_id = @id;

-- name: WalletKeys :many
select public_id from wallets_v1
where tenant_id = @tenant_id and (sqlc.narg('after')::uuid is null or public_id > sqlc.narg('after'))
order by public_id limit sqlc.arg('limit');
