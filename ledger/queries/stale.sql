-- name: StaleKeys :many
select s.id, s.tenant, s.side, s.key, s.epoch, s.cause, s.recorded_at, s.attempts, s.tried_at, s.last_error
from crossfade.stale_keys s
where s.migration_id = @migration_id and s.id > @after and (@tenant::text = '' or s.tenant = @tenant)
order by s.id
limit @up_to;
