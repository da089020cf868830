-- name: Protect :execrows
insert into crossfade.protections (migration_id, stage, actor)
values (@migration_id, @stage, @actor)
on conflict do nothing;

-- name: Unprotect :execrows
delete from crossfade.protections where migration_id = @migration_id and stage = @stage;

-- name: ProtectionsOf :many
select stage, actor, at from crossfade.protections where migration_id = @migration_id order by at;

-- name: AddApproval :one
insert into crossfade.approvals (migration_id, stage, ramp_id, ramp_step, actor, reason, until_at)
values (@migration_id, @stage, sqlc.narg(ramp_id), sqlc.narg(ramp_step), @actor, @reason,
    case when @for_seconds::double precision > 0 then clock_timestamp() + make_interval(secs => @for_seconds::double precision) end)
returning id;

-- name: ApprovalsOf :many
select a.id, a.stage, a.ramp_id, a.ramp_step, a.actor, a.reason, a.at, a.until_at
from crossfade.approvals a
left join crossfade.ramps r on r.id = a.ramp_id
where a.migration_id = @migration_id and (a.until_at is null or a.until_at > clock_timestamp())
  and (a.ramp_id is null or r.state in ('running', 'paused'))
order by a.id;
