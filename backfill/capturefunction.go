package backfill

import (
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/crossfade-db/crossfade/flags"
	"github.com/crossfade-db/crossfade/ledger"
	"github.com/crossfade-db/crossfade/repo"
)

// captureFunction is what the trigger function of a table is made from.
type captureFunction struct {
	id        int32 // of the table's registration
	migration int32
	side      flags.Side
	table     CaptureTable
	settings  []string // fixed, as the texts of the columns' types depend on them
}

// name of the function, with its schema.
func (f captureFunction) name() string { return fmt.Sprintf("crossfade.capture_%d", f.id) }

func captureSequence(migration int32, side flags.Side) string {
	return fmt.Sprintf("crossfade.capture_%d_%s", migration, side)
}

// tenantOf and keyOf are the texts of the tenant and of the key in a row.
// Without the collation, a column's own might find different texts equal.
func (f captureFunction) tenantOf(row string) string {
	if f.table.Tenant == "" {
		return literal(repo.SoleTenant) + "::text"
	}
	return "(" + row + "." + quoted(f.table.Tenant) + `::text collate "C")`
}

func (f captureFunction) keyOf(row string) string {
	var parts []string
	for _, column := range f.table.Key {
		text := row + "." + quoted(column) + "::text"
		if len(f.table.Key) > 1 { // as repo.CompositeKey; null if any part is
			text = "octet_length(" + text + ") || ':' || " + text
		}
		parts = append(parts, text)
	}
	return "((" + strings.Join(parts, " || ") + `) collate "C")`
}

// covered says whether the mark covers a row. Of many keys a hash is made,
// whatever the planner thinks of the number of rows: what stands in a CASE
// becomes no join.
func (f captureFunction) covered(row string) string {
	return "(case v_kind when 'keys' then " + f.tenantOf(row) + " = v_tenant and (" + f.keyOf(row) + " = v_key" +
		" or v_many and " + f.keyOf(row) + " in (select u.k from unnest(v_keys) u(k)))" +
		" when 'all' then " + f.tenantOf(row) + " = v_tenant else false end)"
}

func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// dollar quotes a text that holds other quotes.
func dollar(text string) string {
	tag := "$crossfade$"
	for n := 1; strings.Contains(text, tag); n++ {
		tag = fmt.Sprintf("$crossfade%d$", n)
	}
	return tag + text + tag
}

// The transition tables of an operation, in the triggers and in the function.
var captureTransitions = map[string][]string{
	"insert": {"crossfade_new"},
	"update": {"crossfade_old", "crossfade_new"},
	"delete": {"crossfade_old"},
}

// create is the statement that makes the function. One function serves all
// triggers of a table and of its partitions on one side.
//
// It runs with the rights of its owner, so that who writes the table needs no
// right on the ledger. Nobody else may make a trigger of it: that would be a way
// to write into the ledger.
func (f captureFunction) create() string {
	var sql strings.Builder
	fmt.Fprintf(&sql, "create or replace function %s() returns trigger\n    language plpgsql security definer\n", f.name())
	for _, setting := range append([]string{"search_path = pg_catalog, pg_temp"}, f.settings...) {
		fmt.Fprintf(&sql, "    set %s\n", setting)
	}
	sql.WriteString("as " + dollar(f.body()))
	return sql.String()
}

// What says that a statement is one of a trigger's, or of a cascade: of its own
// trigger when it fires, or noted by the one before.
const (
	nestedSQL = "pg_trigger_depth() > 1"
	deepSQL   = "(" + nestedSQL + " or coalesce(strpos(current_setting('crossfade.deep', true), ' ' || tg_relid || ' ') > 0, false))"
)

// body of the function. AFTER triggers of a cascade run at depth 1, like those
// of the statement that began it: only BEFORE triggers can tell, and note it.
//
// Each expression costs about a microsecond in the transaction that evaluates it
// for the first time, and a query over the rows five to ten. So writes without a
// mark do not ask whether there are rows before they know that rows count, those
// of one marked key take one short query, and what few need is computed late.
// NEW is empty where a trigger is for statements, and no expression as null is.
func (f captureFunction) body() string {
	return f.fill(f.static(`
declare
    v_mark   text[];
    v_kind   text;
    v_tenant text;
    v_key    text;
    v_keys   text[];
    v_many   boolean;
    v_noted  text;
    v_deep   boolean;
    v_some   boolean; -- of the rows, that the mark does not cover them
    v_own    boolean; -- an insert of the application, whose keys the database made
    v_epoch  bigint;
    v_rows   bigint;
begin
    if tg_when = 'BEFORE' and tg_op <> 'TRUNCATE' then
        if pg_sequence_last_value('<sequence>') % 2 = 1 and not <nested> and coalesce(current_setting('crossfade.deep', true), '') = '' then
            return new;
        end if;
        v_noted := coalesce(current_setting('crossfade.deep', true), '');
        v_deep := <nested>;
        if v_deep <> (strpos(v_noted, ' ' || tg_relid || ' ') > 0) then
            v_noted := replace(v_noted, ' ' || tg_relid || ' ', '');
            perform set_config('crossfade.deep', case when v_deep then v_noted || ' ' || tg_relid || ' ' else v_noted end, true);
        end if;
        if coalesce(pg_sequence_last_value('<sequence>'), 0) % 2 = 0
            and not starts_with(coalesce(current_setting('crossfade.mark', true), ''), '{<migration>,') then
            perform crossfade.capture_refuse(<migration>, '<side>', tg_table_schema, tg_table_name, '');
        end if;
        return null;
    end if;
    if starts_with(current_setting('crossfade.mark', true), '{<migration>,') then
        v_mark := current_setting('crossfade.mark')::text[];
        if tg_level = 'STATEMENT' and v_mark[2] = 'keys' and cardinality(v_mark) = 4 then
<one>
            if not (v_some or <deep>) then
                return new;
            end if;
        end if;
        v_kind := v_mark[2];
        v_tenant := v_mark[3];
        v_key := v_mark[4];
        v_many := cardinality(v_mark) > 4;
        if v_many then
            v_keys := v_mark[4:];
        end if;
        v_deep := <deep>;
        if tg_level = 'ROW' or tg_op = 'TRUNCATE' then
            v_some := true;
<some>
        end if;
        if not (v_some or v_deep) then
            return null;
        end if;
    end if;
    v_epoch := crossfade.capture_admit(<migration>, '<side>', '<sequence>');
    if v_epoch = -2 then
        return null;
    end if;
    v_some := v_some is not false; -- without a mark, nobody looked
    v_deep := coalesce(v_deep, <deep>);
    v_own := coalesce(v_kind, '') = 'made' and not v_deep;
    if tg_op = 'TRUNCATE' then
<truncate>
    end if;
    if v_epoch = -1 then
        if not v_some then
            return null;
        elsif not v_own then
            perform crossfade.capture_refuse(<migration>, '<side>', tg_table_schema, tg_table_name, '');
        end if;
        select m.epoch into v_epoch from crossfade.migrations m where m.id = <migration>;
    end if;
    if tg_level = 'ROW' then
<row>
<record>
    end if;
    get diagnostics v_rows = row_count;
    if v_rows > 0 and not v_own then
        perform crossfade.capture_log(<migration>, '<side>', tg_table_schema || '.' || tg_table_name, tg_op, v_deep, v_rows);
    end if;
    return null;
end
`))
}

// static fills in what is the same in every part.
func (f captureFunction) static(text string, more ...string) string {
	return strings.NewReplacer(append(more,
		"<nested>", nestedSQL, "<deep>", deepSQL,
		"<sequence>", captureSequence(f.migration, f.side), "<migration>", fmt.Sprint(f.migration), "<side>", f.side.String())...).Replace(text)
}

func (f captureFunction) fill(text string) string {
	cause := literal(fmt.Sprintf("capture: table %s.%s", f.table.Schema, f.table.Table))
	into := "        insert into crossfade.stale_keys (migration_id, tenant, side, key, epoch, cause)\n" +
		fmt.Sprintf("        select %d, x.t, '%s', x.k, v_epoch, %s from (", f.migration, f.side.Other(), cause)
	const found = ") x\n        where x.t is not null and x.k is not null"
	var single, some, record, row strings.Builder
	for i, op := range []string{"update", "insert", "delete"} {
		var one, exists, all []string
		for _, rows := range captureTransitions[op] {
			one = append(one, "select from "+rows+" r where ("+f.tenantOf("r")+" = v_mark[3] and "+f.keyOf("r")+" = v_mark[4]) is not true")
			exists = append(exists, "exists (select from "+rows+" r where "+f.covered("r")+" is not true)")
			all = append(all, "select "+f.tenantOf("r")+" as t, "+f.keyOf("r")+" as k from "+rows+" r where v_deep or "+f.covered("r")+" is not true")
		}
		// union is one pass that sorts or hashes. A look-up of old keys that are
		// not new ones could be planned as a nested loop, and a row trigger on
		// UPDATE OF the key misses keys that a BEFORE trigger changes.
		// Most writes are of one key, and the plan of the other form takes longer to begin.
		fmt.Fprintf(&single, "            %sif tg_op = '%s' then\n                v_some := exists (%s);\n", [2]string{"", "els"}[min(i, 1)], strings.ToUpper(op), strings.Join(one, " union all "))
		fmt.Fprintf(&some, "        elsif v_some is null and tg_op = '%s' then\n            v_some := %s;\n", strings.ToUpper(op), strings.Join(exists, " or "))
		if len(all) == 1 {
			all[0] = strings.Replace(all[0], "select ", "select distinct ", 1)
		}
		fmt.Fprintf(&record, "    elsif tg_op = '%s' then\n%s%s%s;\n", strings.ToUpper(op), into, strings.Join(all, "\n            union "), found)
	}
	row.WriteString("        if tg_op = 'INSERT' then\n" + f.rowRecord(into, found, "new") +
		"        elsif tg_op = 'DELETE' then\n" + f.rowRecord(into, found, "old") +
		"        else\n" + f.rowRecord(into, found, "old", "new") + "        end if;")
	return strings.NewReplacer(
		"<truncate>\n", f.truncate(cause), "<one>\n", single.String()+"            end if;\n", "<some>\n", some.String(), "<row>\n", row.String()+"\n", "<record>\n", record.String(),
	).Replace(text)
}

// rowRecord records one row that a subscription applied: it fires no triggers
// for statements.
func (f captureFunction) rowRecord(into, found string, rows ...string) string {
	var all []string
	for _, row := range rows {
		all = append(all, "select "+f.tenantOf(row)+" as t, "+f.keyOf(row)+" as k where v_deep or "+f.covered(row)+" is not true")
	}
	return into + strings.Join(all, " union ") + found + ";\n"
}

// truncate records every tenant that has a row. The rows that a snapshot of the
// transaction's beginning does not show would be missed.
func (f captureFunction) truncate(cause string) string {
	return f.static(`        if current_setting('transaction_isolation') <> 'read committed' then
            perform crossfade.capture_refuse(<migration>, '<side>', tg_table_schema, tg_table_name, ': a TRUNCATE must be READ COMMITTED');
        end if;
        if v_epoch = -1 then
            perform crossfade.capture_refuse(<migration>, '<side>', tg_table_schema, tg_table_name, '');
        end if;
        execute 'insert into crossfade.stale_keys (migration_id, tenant, side, key, epoch, cause)
            select <migration>, x.t, ''<other>'', ''*'', $1, $2 from (select distinct ' || <tenant> || ' as t from ' || tg_relid::regclass || ' r) x
            where x.t is not null and x.t is distinct from $3 and not exists (
                select from crossfade.stale_keys s
                where s.migration_id = <migration> and s.tenant = x.t and s.side = ''<other>'' and s.key = ''*'' and s.xmin = pg_current_xact_id()::xid)'
            using v_epoch, <cause>, case when v_kind = 'all' and not v_deep then v_tenant end;
        get diagnostics v_rows = row_count;
        if v_rows > 0 then
            perform crossfade.capture_log(<migration>, '<side>', tg_table_schema || '.' || tg_table_name, tg_op, v_deep, v_rows);
        end if;
        return null;
`, "<tenant>", dollar(f.tenantOf("r")), "<cause>", cause, "<other>", f.side.Other().String())
}

// triggers are the statements that make the triggers of one relation. Each
// fires for replicated rows too, and stays on where triggers are switched off.
func (f captureFunction) triggers(schema, relation string, partitioned bool) []string {
	on := pgx.Identifier{schema, relation}.Sanitize()
	var all []string
	for _, part := range ledger.CaptureTriggers(partitioned) {
		name := quoted(ledger.CaptureTrigger(f.id, part))
		enable := "always"
		var when string
		switch part {
		case "before":
			when = "before insert or update or delete or truncate on " + on + " for each statement"
		case "replica":
			when, enable = "after insert or update or delete on "+on+" for each row", "replica"
		default:
			when = "after " + part + " on " + on + " referencing"
			for _, rows := range captureTransitions[part] {
				when += " " + strings.TrimPrefix(rows, "crossfade_") + " table as " + rows
			}
			when += " for each statement"
		}
		all = append(all,
			"create or replace trigger "+name+" "+when+" execute function "+f.name()+"()",
			"alter table "+on+" enable "+enable+" trigger "+name)
	}
	return all
}
