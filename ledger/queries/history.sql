-- name: InsertHistory :exec
insert into crossfade.history (migration_id, actor, reason, kind, epoch, tenant, from_value, to_value)
select @migration_id, @actor, c.reason, @kind, @epoch, nullif(c.tenant, ''), c.from_value, c.to_value
from (
    select unnest(sqlc.arg(tenants)::text[]) as tenant, unnest(sqlc.arg(reasons)::text[]) as reason, unnest(sqlc.arg(from_values)::text[]) as from_value,
        unnest(sqlc.arg(to_values)::text[]) as to_value
) c;

-- History returns the newest entries first, those before the given id.
-- name: HistoryBefore :many
select h.id, h.at, h.actor, h.reason, h.kind, h.epoch, h.tenant, h.from_value, h.to_value
from crossfade.history h
where h.migration_id = @migration_id
  and h.id < @before
  and (@tenant::text = '' or h.tenant is null or h.tenant = @tenant)
order by h.id desc
limit @up_to;
