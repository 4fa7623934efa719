/**
 * What a database has stored of results of functions and text search: in indexes, generated columns, checks,
 * partitions, statistics and materialized views. It is read from the dependencies in the database's catalog,
 * so that what no layer declares is found as well. How it is computed again is for `online/recompute.ts`.
 */
import type { ClientBase, Pool } from "pg";
import { asObject } from "../catalog/kinds/kind.ts";
import { kindInWords } from "../catalog/objectNames.ts";
import { encodeId, type FactBase, type StableId } from "../catalog/pgDelta.ts";
import { type TableId, tableId, text } from "../catalog/tables.ts";
import { type ChangedObject, givesResults } from "./changedObjects.ts";

export type StoredIn =
  | "index"
  | "generated column"
  | "check"
  | "partition key"
  | "exclusion"
  | "statistics"
  | "materialized view";

/** One object that holds results of what has changed. */
export interface StoredResult {
  /** What has changed, as messages call it: `function`, `text search dictionary`. */
  of: string;
  in: StoredIn;
  /** The object; of extended statistics, which are no facts, their table. */
  id: StableId;
  /** The table whose rows it is about; none for a materialized view and for the check of a domain. */
  table?: TableId;
  /** Of an index, its name: that of a constraint is no object of its own. */
  index: { schema: string; name: string };
  /** An index that refuses equal values. */
  isUnique: boolean;
  /** Of a partition key: its operator class orders the rows, which no condition of a partition shows. */
  isByOrder: boolean;
  /** Of a generated column. */
  expression: string;
  /** Of a generated column: a column that it is computed from and that may be set; empty without one. */
  through: string;
  /** What is computed of each row, as a record; empty where nothing is. */
  computed: string;
  /** Whether equal records mean equal results. */
  isComparable: boolean;
  /** Of an index or a constraint, as the server prints it; of a materialized view its query. */
  definition: string;
  /** Of a materialized view: whether its rows may be replaced while others read it. */
  isConcurrent: boolean;
}

/** Kinds of text search: their catalog, and the columns of a name and its schema. */
const TEXT_SEARCH = [
  ["text search parser", "pg_ts_parser", "prsname", "prsnamespace"],
  ["text search template", "pg_ts_template", "tmplname", "tmplnamespace"],
  ["text search dictionary", "pg_ts_dict", "dictname", "dictnamespace"],
  ["text search configuration", "pg_ts_config", "cfgname", "cfgnamespace"],
].map(
  ([kind, catalog, name, namespace]) =>
    `select '${kind}' as kind, 'pg_catalog.${catalog}'::pg_catalog.regclass as class, oid, ${name} as name, ${namespace} as namespace
       from pg_catalog.${catalog}`,
);

/** Whether a text has the name `called.name` as a word. */
const namesCalled = (column: string): string =>
  `${column} ~* ('(?<!\\w)' || pg_catalog.regexp_replace(called.name, '(\\W)', '\\\\\\1', 'g') || '(?!\\w)')`;

/**
 * From the objects on to whatever depends on them. `$1` is their ids as JSON. The catalog knows no dependency
 * of a body that is a text, so each function whose text has the name of a reached one as a word counts as its
 * caller; likewise the options of a dictionary. A column that names configurations may name any.
 *
 * Views, casts, operators, operator classes, objects of text search and columns that are not stored hand on;
 * so does a stored column, to views only, because its own indexes and checks follow when it is computed.
 */
const STORED_RESULTS = `
  with recursive
  text_search as (${TEXT_SEARCH.join("\n    union all ")}),
  changed as (
    select 'pg_catalog.pg_proc'::pg_catalog.regclass as class, p.oid
      from pg_catalog.jsonb_array_elements($1::pg_catalog.jsonb) as given
      join pg_catalog.pg_namespace n on n.nspname = given ->> 'schema'
      join pg_catalog.pg_proc p on p.pronamespace = n.oid and p.proname = given ->> 'name'
       and pg_catalog.to_jsonb(array(
             select pg_catalog.format_type(t.type, null) from pg_catalog.unnest(p.proargtypes) with ordinality as t (type, place)
              order by t.place)) = given -> 'args'
    union all
    select o.class, o.oid
      from pg_catalog.jsonb_array_elements($1::pg_catalog.jsonb) as given
      join text_search o on o.kind = given ->> 'intentKind'
      join pg_catalog.pg_namespace n on n.oid = o.namespace and pg_catalog.format('%I.%I', n.nspname, o.name) = given ->> 'key'),
  reached as (
    select class, oid, 0 as part from changed
    union
    select next.class::pg_catalog.regclass, next.oid, next.part
      from reached r cross join lateral (
        select coalesce(view.tableoid, generated.tableoid, d.classid) as class,
               coalesce(view.oid, generated.attrelid, d.objid) as oid,
               coalesce(generated.attnum::pg_catalog.int4, 0) as part
          from pg_catalog.pg_depend d
          left join pg_catalog.pg_rewrite rule on d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass and rule.oid = d.objid
          left join pg_catalog.pg_class view on view.oid = rule.ev_class and view.relkind in ('v', 'm')
          left join pg_catalog.pg_attrdef expression on d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass and expression.oid = d.objid
          left join (select 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid as tableoid, attrelid, attnum
                       from pg_catalog.pg_attribute where attgenerated <> '') as generated
                 on generated.attrelid = expression.adrelid and generated.attnum = expression.adnum
         where d.refclassid = r.class and d.refobjid = r.oid and (r.part = 0 or d.refobjsubid = r.part)
           and (rule.oid is null or view.oid is not null) and (expression.oid is null or generated.attrelid is not null)
           and case r.class
                 when 'pg_catalog.pg_proc'::pg_catalog.regclass then d.classid <> 'pg_catalog.pg_type'::pg_catalog.regclass
                 when 'pg_catalog.pg_class'::pg_catalog.regclass then
                   case when r.part = 0 then exists (select from pg_catalog.pg_class where oid = r.oid and relkind in ('v', 'm'))
                         and d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
                        else d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
                          or exists (select from pg_catalog.pg_attribute
                                      where attrelid = r.oid and attnum = r.part and attgenerated <> 's')
                            and not exists (select from pg_catalog.pg_index plain
                                             where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and plain.indexrelid = d.objid
                                               and plain.indexprs is null and plain.indpred is null) end
                 else r.class in ('pg_catalog.pg_operator'::pg_catalog.regclass, 'pg_catalog.pg_cast'::pg_catalog.regclass,
                                  'pg_catalog.pg_opclass'::pg_catalog.regclass)
                   or r.class in (select class from text_search) end
        union all
        select 'pg_catalog.pg_opclass'::pg_catalog.regclass, class.oid, 0
          from pg_catalog.pg_amproc support join pg_catalog.pg_opclass class on class.opcfamily = support.amprocfamily
         where r.class = 'pg_catalog.pg_amproc'::pg_catalog.regclass and support.oid = r.oid
        union all
        select 'pg_catalog.pg_proc'::pg_catalog.regclass, caller.oid, 0
          from (select 'pg_catalog.pg_proc'::pg_catalog.regclass as class, oid, proname as name from pg_catalog.pg_proc
                union all select class, oid, name from text_search) as called
          join pg_catalog.pg_proc caller on caller.oid <> called.oid and caller.prosqlbody is null and ${namesCalled("caller.prosrc")}
          join pg_catalog.pg_language l on l.oid = caller.prolang and l.lanname not in ('c', 'internal')
         where called.class = r.class and called.oid = r.oid
        union all
        select called.class, other.oid, 0
          from text_search called join pg_catalog.pg_ts_dict other on ${namesCalled("other.dictinitoption")}
         where called.kind = 'text search dictionary' and called.class = r.class and called.oid = r.oid
        union all
        select 'pg_catalog.pg_class'::pg_catalog.regclass, a.attrelid, a.attnum
          from pg_catalog.pg_attribute a join pg_catalog.pg_class t on t.oid = a.attrelid and t.relkind in ('r', 'p', 'f', 'm')
         where r.class in (select class from text_search) and not a.attisdropped
           and a.atttypid in ('pg_catalog.regconfig'::pg_catalog.regtype, 'pg_catalog.regdictionary'::pg_catalog.regtype)
      ) as next),
  found as (
    select case when x.indisexclusion then 'exclusion' else 'index' end as stored, 'index' as class, x.indexrelid as oid,
           x.indrelid as relation, null::pg_catalog.name as part, x.indisunique as is_unique
      from pg_catalog.pg_index x
     where x.indisvalid
       and (x.indexrelid in (select oid from reached where class = 'pg_catalog.pg_class'::pg_catalog.regclass)
            or x.indexrelid in (select c.conindid from pg_catalog.pg_constraint c where c.contype = 'x'
                                   and c.oid in (select oid from reached where class = 'pg_catalog.pg_constraint'::pg_catalog.regclass)))
    union all
    select 'generated column', 'column', null, a.attrelid, a.attname, false
      from pg_catalog.pg_attribute a join reached r on r.class = 'pg_catalog.pg_class'::pg_catalog.regclass and r.oid = a.attrelid and r.part = a.attnum
     where a.attgenerated = 's'
    union all
    select 'check', 'constraint', c.oid, nullif(c.conrelid, 0::pg_catalog.oid), c.conname, false
      from pg_catalog.pg_constraint c join reached r on r.class = 'pg_catalog.pg_constraint'::pg_catalog.regclass and r.oid = c.oid
     where c.contype = 'c' and c.convalidated and c.coninhcount = 0 and pg_catalog.to_jsonb(c) ->> 'conenforced' is distinct from 'false'
    union all
    select 'partition key', 'table', null, p.partrelid, null, false
      from pg_catalog.pg_partitioned_table p
     where p.partrelid in (select oid from reached where class = 'pg_catalog.pg_class'::pg_catalog.regclass and part = 0)
    union all
    select 'statistics', 'table', null, s.stxrelid, s.stxname, false
      from pg_catalog.pg_statistic_ext s join reached r on r.class = 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass and r.oid = s.oid
    union all
    select 'materialized view', 'materializedView', null, v.oid, null, false
      from pg_catalog.pg_class v
     where v.relkind = 'm' and v.relispopulated
       and v.oid in (select oid from reached where class = 'pg_catalog.pg_class'::pg_catalog.regclass and part = 0))
  select f.stored, case when own.oid is null then f.class else 'constraint' end as kind, f.is_unique, tn.nspname as table_schema, t.relname as table_name, coalesce(f.part, own.conname) as name,
         xn.nspname as index_schema, x.relname as index_name, dn.nspname as domain_schema, d.typname as domain_name,
         (select a.attname from pg_catalog.pg_attribute this
           join pg_catalog.pg_attrdef e on e.adrelid = this.attrelid and e.adnum = this.attnum
           join pg_catalog.pg_depend used on used.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass and used.objid = e.oid
            and used.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and used.refobjid = this.attrelid
           join pg_catalog.pg_attribute a on a.attrelid = used.refobjid and a.attnum = used.refobjsubid
          where f.stored = 'generated column' and this.attrelid = f.relation and this.attname = f.part
            and a.attgenerated = '' and a.attidentity <> 'a' order by a.attnum limit 1) as through,
         (select pg_catalog.pg_get_expr(e.adbin, e.adrelid) from pg_catalog.pg_attribute this
            join pg_catalog.pg_attrdef e on e.adrelid = this.attrelid and e.adnum = this.attnum
           where f.stored = 'generated column' and this.attrelid = f.relation and this.attname = f.part) as expression,
         exists (select from pg_catalog.pg_partitioned_table p join reached r on r.oid = any (p.partclass)
                  where f.stored = 'partition key' and p.partrelid = f.relation and p.partstrat <> 'h'
                    and r.class = 'pg_catalog.pg_opclass'::pg_catalog.regclass) as is_by_order,
         case f.stored
           when 'check' then (select 'ROW(' || pg_catalog.pg_get_expr(c.conbin, c.conrelid) || ')' where c.conrelid <> 0)
           when 'materialized view' then null
           else (
             select coalesce('CASE WHEN ' || pg_catalog.pg_get_expr(i.indpred, i.indrelid) || ' THEN ', '')
                      || 'ROW(' || coalesce(pg_catalog.pg_get_expr(i.indexprs, i.indrelid), 'true') || ')'
                      || case when i.indpred is null then '' else ' END' end
               from pg_catalog.pg_index i where i.indexrelid = f.oid)
         end as computed,
         f.stored = 'check' or f.stored = 'index' and not f.is_unique
           and not exists (select from pg_catalog.pg_index i join reached on class = 'pg_catalog.pg_opclass'::pg_catalog.regclass
                            where i.indexrelid = f.oid and reached.oid = any (i.indclass)) as is_comparable,
         case when f.stored = 'materialized view' then pg_catalog.rtrim(pg_catalog.pg_get_viewdef(f.relation), ';')
              when coalesce(own.oid, c.oid) is not null then pg_catalog.pg_get_constraintdef(coalesce(own.oid, c.oid))
              when f.class = 'index' then pg_catalog.pg_get_indexdef(f.oid) end as definition,
         exists (select from pg_catalog.pg_index u where u.indrelid = f.relation and u.indisunique and u.indisvalid and u.indpred is null
                    and u.indexprs is null) as is_concurrent
    from found f
    left join pg_catalog.pg_class t on t.oid = f.relation
    left join pg_catalog.pg_namespace tn on tn.oid = t.relnamespace
    left join pg_catalog.pg_class x on f.class = 'index' and x.oid = f.oid
    left join pg_catalog.pg_namespace xn on xn.oid = x.relnamespace
    left join pg_catalog.pg_constraint own on own.conindid = x.oid and own.contype in ('p', 'u', 'x')
    left join pg_catalog.pg_constraint c on f.class = 'constraint' and c.oid = f.oid
    left join pg_catalog.pg_type d on d.oid = c.contypid
    left join pg_catalog.pg_namespace dn on dn.oid = d.typnamespace
   where (t.oid is null or t.relpersistence <> 't' and (t.relkind in ('r', 'm') or t.relkind = 'p' and f.class in ('constraint', 'table')))
   order by f.relation, f.stored, f.part, f.oid`;

interface StoredRow {
  stored: StoredIn;
  kind: "index" | "column" | "constraint" | "table" | "materializedView";
  is_unique: boolean;
  table_schema: string | null;
  table_name: string | null;
  name: string | null;
  index_schema: string | null;
  index_name: string | null;
  domain_schema: string | null;
  domain_name: string | null;
  through: string | null;
  expression: string | null;
  computed: string | null;
  is_comparable: boolean;
  definition: string | null;
  is_by_order: boolean;
  is_concurrent: boolean;
}

/** What an object is called until the renames of an update are made, and from then on. */
interface Names {
  before: (id: StableId) => StableId;
  now: (id: StableId) => StableId;
}

/**
 * Where results of changed objects are stored, by the names after the renames of an update; materialized
 * views after what they read.
 */
export async function readStoredResults(
  client: ClientBase | Pool,
  changed: readonly ChangedObject[],
  { before, now }: Names,
): Promise<StoredResult[]> {
  if (changed.length === 0) return [];
  const names = changed.map(before).filter(givesResults);
  const of = kindsOf(changed);
  const { rows } = await client.query<StoredRow>(STORED_RESULTS, [JSON.stringify(names)]);
  return rows.map((row): StoredResult => {
    const { table_schema: schema, table_name: name } = row;
    const table = schema === null || name === null ? undefined : tableNow(now(tableId(schema, name)));
    const id = now(idOf(row));
    const through = now({ kind: "column", schema: schema ?? "", table: name ?? "", name: row.through ?? "" });
    return {
      of,
      in: row.stored,
      id,
      ...(table === undefined || row.stored === "materialized view" ? {} : { table }),
      index: id.kind === "index" || id.kind === "constraint" ? { schema: id.schema, name: id.name } : NO_INDEX,
      isUnique: row.is_unique,
      isByOrder: row.is_by_order,
      expression: row.expression ?? "",
      computed: row.expression === null ? (row.computed ?? "") : `ROW(${row.expression})`,
      isComparable: row.is_comparable || row.expression !== null,
      definition: row.definition ?? "",
      through: through.kind === "column" ? through.name : "",
      isConcurrent: row.is_concurrent,
    };
  });
}

/** `function or text search dictionary`. */
const kindsOf = (ids: readonly ChangedObject[]): string =>
  [...new Set(ids.map((id) => asObject(id)?.intentKind ?? kindInWords(id.kind)))].join(" or ");

const tableNow = (id: StableId): TableId | undefined => (id.kind === "table" ? tableId(id.schema, id.name) : undefined);

const NO_INDEX = { schema: "", name: "" };

/** Whether the statements of a plan leave an object as it is: what they make has the new results already. */
export function staysStale(
  { id, table }: StoredResult,
  statements: readonly { op: string; id: StableId | undefined }[],
  live: FactBase,
  desired: FactBase,
): boolean {
  // Of a partition not all is a fact.
  const isLeft = (each: StableId): boolean => desired.has(each) || !live.has(each);
  if (!isLeft(id) || (table !== undefined && !desired.has(table))) return false;
  const expression = (base: FactBase): string => text(base.get(id), "generatedExpr");
  if (expression(live) !== expression(desired)) return false;
  const own = [id, ...(table === undefined ? [] : [table])].map(encodeId);
  return !statements.some((made) => made.op === "create" && made.id !== undefined && own.includes(encodeId(made.id)));
}

function idOf(row: StoredRow): StableId {
  const schema = row.table_schema ?? row.domain_schema ?? "";
  const table = row.table_name ?? row.domain_name ?? "";
  switch (row.kind) {
    case "index":
      return { kind: "index", schema: row.index_schema ?? "", name: row.index_name ?? "" };
    case "column":
    case "constraint":
      return { kind: row.kind, schema, table, name: row.name ?? "" };
    default:
      return { kind: row.kind, schema, name: table };
  }
}
