-- name: DeclareRowVersions :exec
insert into crossfade.row_versions (entity, table_name, version_column, tenant_column)
values (@entity, @table_name, @version_column, @tenant_column)
on conflict (entity, table_name) do update
set version_column = excluded.version_column, tenant_column = excluded.tenant_column
where (crossfade.row_versions.version_column, crossfade.row_versions.tenant_column) is distinct from (excluded.version_column, excluded.tenant_column);

-- name: ForgetRowVersions :execrows
delete from crossfade.row_versions where entity = @entity and table_name = @table_name;

-- name: RowVersions :many
select entity, table_name, version_column, tenant_column
from crossfade.row_versions
where entity = @entity
order by table_name;

-- ColumnsOf returns those columns of a table that are named, and the table's name
-- with its schema.
-- name: ColumnsOf :many
select a.attname::text as name, pg_catalog.format('%I.%I', n.nspname, c.relname)::text as table_name
from pg_catalog.pg_attribute a
join pg_catalog.pg_class c on c.oid = a.attrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where a.attrelid = pg_catalog.to_regclass(@table_name::text)::oid and a.attnum > 0 and not a.attisdropped
  and a.attname = any(@columns::text[]);

-- RowStatistics returns what the planner knows of a column. It reads no row of
-- the table. An index that begins with the column is one by which its values can
-- be found one by one.
-- name: RowStatistics :many
select c.reltuples::double precision as rows, coalesce(s.most_common_vals::text::text[], '{}')::text[] as vals,
    coalesce(s.most_common_freqs, '{}')::real[] as freqs, coalesce(s.null_frac, 0)::real as nulls,
    (s.attname is not null)::boolean as known, coalesce(greatest(t.last_analyze, t.last_autoanalyze), to_timestamp(0))::timestamptz as analyzed_at,
    exists (
        select from pg_catalog.pg_index i
        join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attname = @version_column and a.attnum = i.indkey[0]
        join pg_catalog.pg_class ic on ic.oid = i.indexrelid
        join pg_catalog.pg_am am on am.oid = ic.relam and am.amname = 'btree'
        where i.indrelid = c.oid and i.indisvalid and i.indpred is null
    )::boolean as indexed
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_stat_all_tables t on t.relid = c.oid
left join pg_catalog.pg_stats s on s.schemaname = n.nspname and s.tablename = c.relname and s.attname = @version_column
    and s.inherited = (c.relkind = 'p')
where c.oid = pg_catalog.to_regclass(@table_name::text)::oid;
