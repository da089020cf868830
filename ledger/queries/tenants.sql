-- AddTenantState makes a tenant's own row from the whole migration's.
-- name: AddTenantStates :exec
insert into crossfade.tenant_states (migration_id, tenant, backfilled_at, verified_at, old_complete)
select @migration_id, t.tenant, w.backfilled_at, w.verified_at, coalesce(w.old_complete, true)
from (select unnest(@tenants::text[]) as tenant) t
left join crossfade.tenant_states w on w.migration_id = @migration_id and w.tenant = ''
on conflict (migration_id, tenant) do nothing;

-- name: ClearCopied :exec
update crossfade.tenant_states
set backfilled_at = null, verified_at = null, updated_at = clock_timestamp()
where migration_id = @migration_id and tenant = any(@tenants::text[]);

-- name: ClearVerified :exec
update crossfade.tenant_states
set verified_at = null, updated_at = clock_timestamp()
where migration_id = @migration_id and tenant = any(@tenants::text[]);

-- name: SetOldIncomplete :exec
update crossfade.tenant_states
set old_complete = false, updated_at = clock_timestamp()
where migration_id = @migration_id and tenant = any(@tenants::text[]);

-- name: SetBackfilled :exec
update crossfade.tenant_states
set backfilled_at = clock_timestamp(), updated_at = clock_timestamp()
where migration_id = @migration_id and tenant = any(@tenants::text[]);

-- name: SetVerified :exec
update crossfade.tenant_states
set verified_at = clock_timestamp(), updated_at = clock_timestamp()
where migration_id = @migration_id and tenant = any(@tenants::text[]);

-- name: SetOldComplete :exec
update crossfade.tenant_states
set old_complete = true, backfilled_at = clock_timestamp(), updated_at = clock_timestamp()
where migration_id = @migration_id and tenant = any(@tenants::text[]);
