-- name: GetReceipt :one
select * from receipts_v1 where tenant_id = @tenant_id and id = @id;

-- name: GetForUpdateReceipt :one
select * from receipts_v1 where tenant_id = @tenant_id and id = @id for update;

-- name: ListReceipts :many
select * from receipts_v1 where tenant_id = @tenant_id and id > @after order by id limit sqlc.arg('limit');

-- name: IssueReceipt :one
insert into receipts_v1 (tenant_id, payer) values (@tenant_id, @payer) returning *;

-- name: SaveReceipt :exec
insert into receipts_v1 (tenant_id, id, created_at, payer) values (@tenant_id, @id, @created_at, @payer)
on conflict (tenant_id, id) do update set created_at = excluded.created_at, payer = excluded.payer;

-- name: CorrectReceipt :execrows
update receipts_v1 set payer = @payer where tenant_id = @tenant_id and id = @id;

-- name: DeleteReceipt :execrows
delete from receipts_v1 where tenant_id = @tenant_id and id = @id;

-- name: ReceiptKeys :many
select id from receipts_v1
where tenant_id = @tenant_id and (sqlc.narg('after')::bigint is null or id > sqlc.narg('after'))
order by id limit sqlc.arg('limit');
