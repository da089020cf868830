-- TakeDuty takes a duty that nobody holds, or renews it. No row: another
-- process holds it.
-- name: TakeDuty :one
insert into crossfade.controllers (duty, process_id, name, expires_at)
values (@duty, @process_id, @name, clock_timestamp() + make_interval(secs => @ttl_seconds::double precision))
on conflict (duty) do update
set token = crossfade.controllers.token + (crossfade.controllers.process_id <> excluded.process_id or crossfade.controllers.expires_at <= clock_timestamp())::integer,
    acquired_at = case when crossfade.controllers.process_id = excluded.process_id and crossfade.controllers.expires_at > clock_timestamp()
        then crossfade.controllers.acquired_at else clock_timestamp() end,
    process_id = excluded.process_id, name = excluded.name, renewed_at = clock_timestamp(), expires_at = excluded.expires_at
where crossfade.controllers.process_id = excluded.process_id or crossfade.controllers.expires_at <= clock_timestamp()
returning token;

-- HoldDuty locks the duty against another holder until the transaction ends.
-- No row: the caller does not hold it any more.
-- name: HoldDuty :one
select token from crossfade.controllers
where duty = @duty and process_id = @process_id and token = @token and expires_at > clock_timestamp()
for share;

-- name: LeaveDuty :exec
update crossfade.controllers
set expires_at = clock_timestamp()
where duty = @duty and process_id = @process_id and token = @token;

-- name: Duties :many
select duty, process_id, name, token, acquired_at, renewed_at, expires_at, (expires_at > clock_timestamp())::boolean as held
from crossfade.controllers
order by duty;
