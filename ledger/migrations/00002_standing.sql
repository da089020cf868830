-- +goose Up

-- What the control plane found to hold when it published a policy, and whether
-- a percentage step takes a share of tenants or of the keys of every tenant.
alter table crossfade.policies
    add column step_of text not null default 'tenants' check (step_of in ('tenants', 'keys')),
    add column clean boolean not null default false,
    add column strict_shadow boolean not null default false,
    add column unfenced_old boolean not null default false,
    add column unfenced_new boolean not null default false;

-- The stage at which every tenant and key stands by the policy in force; empty
-- where they may differ. Triggers read it, which cannot compute buckets.
alter table crossfade.migrations
    add column uniform_stage text not null default ''
    check (uniform_stage in ('', 'old', 'dual', 'shadow', 'live', 'rampdown', 'new'));

update crossfade.migrations m
set uniform_stage = p.default_stage
from crossfade.policies p
where p.migration_id = m.id and p.epoch = m.epoch and p.step_share = 0
  and not exists (
    select from crossfade.overrides o
    where o.migration_id = m.id and o.until_epoch is null and o.stage <> p.default_stage);

-- +goose Down
alter table crossfade.migrations drop column uniform_stage;
alter table crossfade.policies
    drop column step_of, drop column clean, drop column strict_shadow, drop column unfenced_old, drop column unfenced_new;
