-- +goose Up

-- capture_admit as before, at half the price for whoever stands where the other
-- side is not written, which is asked at each write there: a session notes, as
-- crossfade.epoch_<migration id>, the epoch that it joined last, and begins with
-- that one instead of looking it up. The note proves nothing. Only what is read
-- under the epoch's lock does.
-- +goose StatementBegin
create or replace function crossfade.capture_admit(migration integer, side text, mode regclass) returns bigint
    language plpgsql volatile
as $$
declare
    value bigint;
    noted text;
    known bigint;
begin
    loop
        value := pg_catalog.pg_sequence_last_value(mode);
        if coalesce(value, 0) % 2 = 0 then
            return -1;
        end if;
        exit when pg_catalog.pg_try_advisory_xact_lock_shared((5 << 28) | migration, (value * 2 + case side when 'old' then 0 else 1 end)::integer)
            and pg_catalog.pg_sequence_last_value(mode) = value;
    end loop;
    noted := pg_catalog.current_setting('crossfade.epoch_' || migration, true);
    if noted <> '' and pg_catalog.current_setting('transaction_isolation') = 'read committed'
        and pg_catalog.pg_try_advisory_xact_lock_shared((1 << 28) | migration, noted::integer) then
        select m.epoch into known from crossfade.migrations m where m.id = migration and m.uniform_stage = side;
        if known = noted::bigint then
            return -2;
        end if;
    end if;
    return crossfade.capture_join(migration, side);
end
$$;
-- +goose StatementEnd

-- capture_join joins the epoch in force, where nothing needs to be recorded, and
-- returns -2 there; else the epoch for the records.
-- +goose StatementBegin
create function crossfade.capture_join(migration integer, side text) returns bigint
    language plpgsql volatile
as $$
declare
    e       bigint;
    again   bigint;
    uniform text;
begin
    select m.epoch, m.uniform_stage into e, uniform from crossfade.migrations m where m.id = migration;
    if pg_catalog.current_setting('transaction_isolation') <> 'read committed' then
        return e;
    end if;
    while uniform = side loop -- the stages old and new, where one side is written, are named like it
        if pg_catalog.pg_try_advisory_xact_lock_shared((1 << 28) | migration, e::integer) then
            select m.epoch, m.uniform_stage into again, uniform from crossfade.migrations m where m.id = migration;
            if again = e and uniform = side then
                perform pg_catalog.set_config('crossfade.epoch_' || migration, e::text, false);
                return -2;
            end if;
        end if;
        select m.epoch, m.uniform_stage into e, uniform from crossfade.migrations m where m.id = migration;
    end loop;
    return e;
end
$$;
-- +goose StatementEnd

-- +goose Down
drop schema crossfade cascade;
