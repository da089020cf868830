-- name: StartRamp :one
insert into crossfade.ramps (migration_id, plan, author, reason, from_stage)
values (@migration_id, @plan, @author, @reason, @from_stage)
returning id;

-- name: OpenRamp :one
select * from crossfade.ramps
where migration_id = @migration_id and state in ('running', 'paused');

-- name: LastRamp :one
select * from crossfade.ramps where migration_id = @migration_id order by id desc limit 1;

-- SaveRamp writes where a running ramp stands. No row: it was paused or ended.
-- name: SaveRamp :execrows
update crossfade.ramps
set state = @state, step = @step, phase = @phase, taken_at = sqlc.narg(taken_at),
    settled_at = case when @settle::boolean then clock_timestamp() when @phase = 'holding' then settled_at end,
    held_secs = @held_secs, ticked_at = sqlc.narg(ticked_at), samples = @samples, waiting_for = @waiting_for,
    updated_at = clock_timestamp(),
    finished_at = case when @state in ('done', 'aborted') then clock_timestamp() end
where id = @id and state = 'running' and step = @expected_step and phase = @expected_phase;

-- name: SetRampState :execrows
update crossfade.ramps
set state = @state, ticked_at = null, updated_at = clock_timestamp(), waiting_for = '',
    finished_at = case when @state = 'aborted' then clock_timestamp() end
where id = @id and state = any(@expected::text[]);
