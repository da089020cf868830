-- name: AddGuardrail :one
insert into crossfade.guardrails (migration_id, measure, threshold, min_sample, window_secs, action, url, secret_env, created_by)
values (@migration_id, @measure, @threshold, @min_sample, @window_secs, @action, @url, @secret_env, @created_by)
returning id;

-- name: RemoveGuardrail :one
delete from crossfade.guardrails where id = @id and migration_id = @migration_id
returning measure, threshold, action;

-- name: GuardrailsOf :many
select id, measure, threshold, min_sample, window_secs, action, url, secret_env, created_by, created_at, since, verdict, numbers, judged_at
from crossfade.guardrails
where migration_id = @migration_id
order by id;

-- JudgeGuardrail writes a verdict down. Whoever wants to write a message or
-- the history does so in the same transaction, and only where the verdict changes.
-- name: JudgeGuardrail :exec
update crossfade.guardrails
set verdict = @verdict, numbers = @numbers, judged_at = clock_timestamp()
where id = @id;

-- GuardrailActed makes a guardrail begin anew, so that what it acted on does
-- not make it act again.
-- name: GuardrailActed :exec
update crossfade.guardrails set since = clock_timestamp() where id = any(@ids::bigint[]);

-- name: OpenMismatchesByTenant :many
select tenant, count(*) as open
from crossfade.mismatches
where migration_id = @migration_id and resolved_at is null
group by tenant
order by tenant;

-- name: AddWebhook :exec
insert into crossfade.webhooks (migration_id, guardrail_id, url, secret_env, body)
values (@migration_id, @guardrail_id, @url, @secret_env, @body);

-- name: DueWebhooks :many
select id, key, url, secret_env, body, created_at, attempts
from crossfade.webhooks
where state = 'waiting' and next_at <= clock_timestamp()
order by id
limit 100;

-- name: WebhookTried :exec
update crossfade.webhooks
set attempts = attempts + 1, state = @state, last_error = @last_error,
    next_at = clock_timestamp() + make_interval(secs => @again_seconds::double precision),
    done_at = case when @state = 'waiting' then null else clock_timestamp() end
where id = @id and state = 'waiting';

-- name: WebhooksOf :many
select id, guardrail_id, key, url, body, created_at, next_at, attempts, state, done_at, last_error
from crossfade.webhooks
where migration_id = @migration_id
order by id desc
limit @up_to;

-- name: PruneWebhooks :exec
delete from crossfade.webhooks where done_at < clock_timestamp() - interval '30 days';
