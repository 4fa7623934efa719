/**
 * What came into a catalog since it was read last, where nothing else has happened to it: then all that was
 * read is as it was, but for the schemas with something new. Reading itself is left to `parallelExtract.ts`.
 */
import type { ClientBase, QueryConfig } from "pg";

/** Where a reading stood. */
export interface Mark {
  /**
   * As an `xid8`: what this transaction made, or a younger one, counts as new. It is the oldest that had not
   * ended; the one after that where the reading was within it, whose rows are among those that were read.
   */
  horizon: string;
  /**
   * Rows of older ones, which are all that were read. No row can join them, so as long as they are as many,
   * they are the same.
   */
  rows: string;
  /**
   * Roles, which have no rows that everybody may read, and which database it is since when: another one
   * counts anew, and so may a server after a crash, which sets its statistics back.
   */
  others: string;
}

/** Objects with a schema, and which column says it. */
const IN_SCHEMA: Record<string, string> = {
  pg_class: "relnamespace",
  pg_type: "typnamespace",
  pg_proc: "pronamespace",
  pg_constraint: "connamespace",
  pg_operator: "oprnamespace",
  pg_opclass: "opcnamespace",
  pg_opfamily: "opfnamespace",
  pg_collation: "collnamespace",
  pg_conversion: "connamespace",
  pg_ts_config: "cfgnamespace",
  pg_ts_dict: "dictnamespace",
  pg_ts_parser: "prsnamespace",
  pg_ts_template: "tmplnamespace",
  pg_statistic_ext: "stxnamespace",
  pg_namespace: "oid",
};

/** Parts of relations, types and functions, and which columns say of which. */
const PARTS: Record<string, { of: "pg_class" | "pg_type" | "pg_proc"; columns: readonly string[] }> = {
  pg_attribute: { of: "pg_class", columns: ["attrelid"] },
  pg_attrdef: { of: "pg_class", columns: ["adrelid"] },
  pg_index: { of: "pg_class", columns: ["indexrelid", "indrelid"] },
  pg_inherits: { of: "pg_class", columns: ["inhrelid", "inhparent"] },
  pg_policy: { of: "pg_class", columns: ["polrelid"] },
  pg_trigger: { of: "pg_class", columns: ["tgrelid"] },
  pg_rewrite: { of: "pg_class", columns: ["ev_class"] },
  pg_sequence: { of: "pg_class", columns: ["seqrelid"] },
  pg_partitioned_table: { of: "pg_class", columns: ["partrelid"] },
  pg_foreign_table: { of: "pg_class", columns: ["ftrelid"] },
  pg_enum: { of: "pg_type", columns: ["enumtypid"] },
  pg_range: { of: "pg_type", columns: ["rngtypid"] },
  pg_aggregate: { of: "pg_proc", columns: ["aggfnoid"] },
};

/** What is said of an object of any kind: in which columns its class and number are. */
const OF_ANY: Record<string, readonly [string, string]> = {
  pg_depend: ["classid", "objid"],
  pg_description: ["classoid", "objoid"],
  pg_init_privs: ["classoid", "objoid"],
};

/**
 * Something new in these may change how old objects are printed: which operator class, operator or conversion
 * goes without saying, and what a table has from its parents.
 */
const PRINTED_BY = ["pg_amop", "pg_amproc", "pg_cast", "pg_inherits", "pg_opclass", "pg_operator", "pg_opfamily"];

/** What belongs to no schema, or is read as a whole each time. */
const ELSEWHERE = [
  "pg_am",
  "pg_amop",
  "pg_amproc",
  "pg_cast",
  "pg_default_acl",
  "pg_event_trigger",
  "pg_extension",
  "pg_foreign_data_wrapper",
  "pg_foreign_server",
  "pg_language",
  "pg_publication",
  "pg_publication_namespace",
  "pg_publication_rel",
  "pg_transform",
  "pg_ts_config_map",
];

/** All whose rows are watched. The names are those of every supported version. */
export const WATCHED: readonly string[] = [
  ...Object.keys(IN_SCHEMA),
  ...Object.keys(PARTS),
  ...Object.keys(OF_ANY),
  ...ELSEWHERE,
];

/** Catalogs that say nothing of a fact, or belong to the cluster. Labels are looked for apart. */
export const UNWATCHED: readonly string[] = [
  "pg_auth_members",
  "pg_authid",
  "pg_database",
  "pg_db_role_setting",
  "pg_largeobject",
  "pg_largeobject_metadata",
  "pg_parameter_acl",
  "pg_replication_origin",
  "pg_seclabel",
  "pg_shdepend",
  "pg_shdescription",
  "pg_shseclabel",
  "pg_statistic",
  "pg_statistic_ext_data",
  "pg_subscription",
  "pg_subscription_rel",
  "pg_tablespace",
  "pg_user_mapping",
];

/** Catalogs whose rows have no number of their own. */
const WITHOUT_OID = new Set([
  "pg_attribute",
  "pg_index",
  "pg_inherits",
  "pg_sequence",
  "pg_partitioned_table",
  "pg_foreign_table",
  "pg_range",
  "pg_aggregate",
  "pg_depend",
  "pg_description",
  "pg_init_privs",
  "pg_ts_config_map",
]);

/** Ages count transactions back from now, and go round with their numbers: beyond 2³¹ old ones are new. */
const COMPARABLE = 2n ** 30n;
const isOlder = (horizon: string): string => `pg_catalog.age(r.xmin) > pg_catalog.age(${horizon})`;

/** The horizon `$1` as rows have it, without the turns. */
const NUMBER = "$1::pg_catalog.xid8::pg_catalog.xid";

/** Whether a transaction from number `$1` on made a row of a catalog. */
export const isNew = (row = "r"): string => `pg_catalog.age(${row}.xmin) <= pg_catalog.age(${NUMBER})`;

/** Where a reading stands, and how many rows are left of the one before it, which stood at `$1`. */
const MARK = `
  with taken as materialized (
    select pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot()) as oldest, pg_catalog.pg_current_xact_id_if_assigned() as own
  ),
  snapshot as materialized (
    select case when oldest = own then (own::pg_catalog.text::pg_catalog.numeric + 1)::pg_catalog.text::pg_catalog.xid8 else oldest end as xmin
      from taken
  ),
  horizon as materialized (
    select s.xmin, s.xmin::pg_catalog.xid as now, ${NUMBER} as before from snapshot s
  )
  select h.xmin::pg_catalog.text as horizon, pg_catalog.sum(c.now)::pg_catalog.text as rows, pg_catalog.sum(c.before)::pg_catalog.text as left,
         pg_catalog.sum(c.whole)::pg_catalog.text as whole,
         (select pg_catalog.pg_postmaster_start_time() || ' ' || pg_catalog.pg_stat_get_bgwriter_stat_reset_time() || ' ' || (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database()) || ' ' || pg_catalog.string_agg(r.oid || ' ' || r.rolname, ',' order by r.oid) from pg_catalog.pg_roles r) as others,
         exists (select from pg_catalog.pg_seclabel) as "hasLabels"
    from horizon h, lateral (${WATCHED.map(
      (catalog) => `
      select pg_catalog.count(*) filter (where ${isOlder("h.now")}) as now, pg_catalog.count(*) filter (where ${isOlder("h.before")}) as before,
             pg_catalog.count(*) as whole
        from pg_catalog.${catalog} r`,
    ).join("\n      union all")}) c
   group by h.xmin`;

/** Objects that are new, and old ones with a new comment. */
const MADE = "made";
const DESCRIBED = "described";

const NUMBERED = WATCHED.filter((catalog) => !WITHOUT_OID.has(catalog));

const toldIn = (catalog: string): string => {
  const [classid, objid] = OF_ANY[catalog] ?? [];
  return `
    select r.${classid} as classid, r.${objid} as objid from pg_catalog.${catalog} r
     where ${isNew()} and not exists (select from ${MADE} m where m.classid = r.${classid} and m.oid = r.${objid})`;
};

const regclasses = (catalogs: readonly string[]): string =>
  catalogs.map((catalog) => `'pg_catalog.${catalog}'::pg_catalog.regclass`).join(", ");

/**
 * The user's schemas in which nothing is new. A null where that cannot be told by schemas: an old object
 * depends on something else or belongs to an extension by now, a part of one has a comment, or old ones may
 * be printed in another way.
 */
const UNTOUCHED = `
  with ${MADE} as materialized (${NUMBERED.map(
    (catalog) => `
    select r.tableoid as classid, r.oid from pg_catalog.${catalog} r where ${isNew()}`,
  ).join("\n    union all")}
  ),
  ${DESCRIBED} as materialized (${toldIn("pg_description")}
  ),
  touched as materialized (${[
    ...Object.entries(IN_SCHEMA).map(
      ([catalog, column]) => `
    select r.${column} as oid from pg_catalog.${catalog} r where ${isNew()}`,
    ),
    ...Object.entries(PARTS).flatMap(([catalog, { of, columns }]) =>
      columns.map(
        (column) => `
    select w.${IN_SCHEMA[of]} from pg_catalog.${catalog} r join pg_catalog.${of} w on w.oid = r.${column} where ${isNew()}`,
      ),
    ),
    ...Object.entries(IN_SCHEMA).map(
      ([catalog, column]) => `
    select w.${column} from ${DESCRIBED} t join pg_catalog.${catalog} w on w.oid = t.objid where t.classid in (${regclasses([catalog])})`,
    ),
  ].join("\n    union")}
  )
  select n.nspname as schema from pg_catalog.pg_namespace n where not exists (select from touched t where t.oid = n.oid)
  union all
  select null from ${DESCRIBED} t where t.classid in (${regclasses(Object.keys(PARTS).filter((part) => !WITHOUT_OID.has(part)))})
  union all
  select null from touched t where t.oid = 'pg_catalog'::pg_catalog.regnamespace
  union all
  ${PRINTED_BY.map((catalog) => `select null from pg_catalog.${catalog} r where ${isNew()}`).join("\n  union all\n  ")}
  union all
  select null from (${toldIn("pg_depend")}
    union all${toldIn("pg_init_privs")}) t`;

type Asked = (sql: string) => QueryConfig;

interface MarkRow extends Mark {
  left: string;
  whole: string;
  hasLabels: boolean;
}

/** What a reading begins with: where it stands, and which schemas are as the one before it found them. */
export interface Standing {
  mark: Mark | undefined;
  untouched: readonly string[];
}

/**
 * Asked in the snapshot of the reading.
 *
 * @param before the reading before it, of the same database.
 */
export async function standing(client: ClientBase, asked: Asked, before: Mark | undefined): Promise<Standing> {
  const [row] = (await client.query<MarkRow>({ ...asked(MARK), values: [before?.horizon ?? null] })).rows;
  if (row === undefined || row.hasLabels) return { mark: undefined, untouched: [] };
  const { horizon, rows, others, left, whole } = row;
  // What younger transactions made beside an older one that has not ended may go without a trace.
  const mark = whole === rows ? { horizon, rows, others } : undefined;
  if (before === undefined || left !== before.rows || others !== before.others) return { mark, untouched: [] };
  const passed = BigInt(horizon) - BigInt(before.horizon);
  if (passed < 0n || passed > COMPARABLE) return { mark, untouched: [] };
  const found = await client.query<{ schema: string | null }>({ ...asked(UNTOUCHED), values: [before.horizon] });
  const untouched = found.rows.flatMap(({ schema }) => schema ?? []);
  return { mark, untouched: untouched.length < found.rows.length ? [] : untouched };
}
