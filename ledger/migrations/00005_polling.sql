-- +goose Up

-- Why a process looks for changes of policy at each heartbeat only; empty for
-- one that is notified of them.
alter table crossfade.processes add column polls text not null default '';

-- +goose Down
alter table crossfade.processes drop column polls;
