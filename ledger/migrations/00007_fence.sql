-- +goose Up

-- The fence was a function. It is two statements of the application now, which
-- are prepared once for a connection: see package internal/fence.
drop function crossfade.fence(integer, bigint, uuid, text, text[], boolean, boolean, boolean);
drop function crossfade.fence_lock_only(integer, text, text[], boolean, boolean, boolean);

-- refuse fails the fence, and says why.
--
-- XF001: the policy is no longer in force: decide again.
-- XF002: the transaction is not READ COMMITTED.
-- XF003: the migration is unknown.
-- +goose StatementBegin
create function crossfade.refuse(migration integer, acting_epoch bigint) returns boolean
    language plpgsql volatile
as $$
declare
    level     text := current_setting('transaction_isolation');
    now_epoch bigint;
begin
    if level <> 'read committed' then
        raise exception using errcode = 'XF002',
            message = 'crossfade: the transaction must be READ COMMITTED, it is ' || level,
            hint = 'A snapshot that is older than the key lock would let a lost update through.';
    end if;
    select m.epoch into now_epoch from crossfade.migrations m where m.id = migration;
    if not found then
        raise exception using errcode = 'XF003', message = format('crossfade: migration %s is not in the ledger', migration);
    elsif now_epoch = acting_epoch then
        raise exception using errcode = 'XF001', message = format('crossfade: epoch %s is being drained, or is of another policy', acting_epoch);
    end if;
    raise exception using errcode = 'XF001', message = format('crossfade: epoch %s is not in force, epoch %s is', acting_epoch, now_epoch);
end
$$;
-- +goose StatementEnd

-- capture_log as before, and a write that runs without a fence may also say so
-- in a comment before its only statement.
-- +goose StatementBegin
create or replace function crossfade.capture_log(migration integer, side text, table_name text, operation text, deep boolean, rows bigint) returns void
    language plpgsql volatile
as $$
declare
    name text := (select m.name from crossfade.migrations m where m.id = migration);
begin
    if not deep and (current_setting('crossfade.unfenced', true) = name
        or pg_catalog.starts_with(pg_catalog.current_query(), '/* crossfade: unfenced ' || name || ' */ ')) then
        return;
    end if;
    insert into crossfade.captures (migration_id, side, role, application_name, table_name, operation, deep, rows)
    values (migration, side, coalesce(nullif(pg_catalog.current_setting('role'), 'none'), session_user),
        coalesce(pg_catalog.current_setting('application_name', true), ''), table_name, operation, deep, rows);
end
$$;
-- +goose StatementEnd

-- +goose Down
drop schema crossfade cascade;
