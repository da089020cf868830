-- name: AddMeasurements :exec
insert into crossfade.measurements (migration_id, process_id, number, began, new_calls, content)
select m.id, @process_id, @number, clock_timestamp() - make_interval(secs => @elapsed_seconds::double precision), f.new_calls, f.content
from (
    select unnest(sqlc.arg(names)::text[]) as name, unnest(sqlc.arg(new_calls)::bigint[]) as new_calls,
        unnest(sqlc.arg(contents)::bytea[]) as content
) f
join crossfade.migrations m on m.name = f.name
on conflict do nothing;

-- name: MeasurementsSince :many
select began, at, content
from crossfade.measurements
where migration_id = @migration_id and at > @since::timestamptz and content <> ''
order by at;

-- NewCallsSince counts the calls of the new side in flushes that began after a moment.
-- name: NewCallsSince :one
select coalesce(sum(new_calls), 0)::bigint as calls
from crossfade.measurements
where migration_id = @migration_id and began >= @since::timestamptz and at > @since::timestamptz;

-- TakeUnmerged takes the flushes out that are old enough to be merged, those of
-- the minutes that are complete.
-- name: TakeUnmerged :many
delete from crossfade.measurements
where migration_id = @migration_id and process_id <> '00000000-0000-0000-0000-000000000000' and content <> ''
  and at < date_trunc('minute', clock_timestamp() - interval '2 minutes')
returning date_trunc('minute', at)::timestamptz as minute, began, at, new_calls, content;

-- AddMerged adds one row for a minute. number keeps rows of the same minute apart.
-- name: AddMerged :exec
insert into crossfade.measurements (migration_id, process_id, number, began, at, new_calls, content)
values (@migration_id, '00000000-0000-0000-0000-000000000000',
    (select coalesce(max(number), 0) + 1 from crossfade.measurements
     where migration_id = @migration_id and process_id = '00000000-0000-0000-0000-000000000000'),
    @began, @at, @new_calls, @content);

-- EmptyMeasurements keeps of old rows only how many calls there were.
-- name: EmptyMeasurements :exec
update crossfade.measurements set content = ''
where migration_id = @migration_id and content <> '' and at < clock_timestamp() - interval '25 hours';

-- name: PruneMeasurements :exec
delete from crossfade.measurements
where migration_id = @migration_id and at < clock_timestamp() - interval '30 days';
