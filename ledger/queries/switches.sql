-- TryHoldSwitches keeps others from switching the modes of capture until the
-- transaction ends: kind 6 of the lock numbers.
-- name: TryHoldSwitches :one
select pg_try_advisory_xact_lock((6 << 28) | @migration_id::integer, 0)::boolean as held;
