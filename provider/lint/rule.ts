/**
 * What a lint is, and what all of them ask of the catalog in the same words. The lints themselves are in
 * `rules/`, one file a family; running them is left to `lintCatalog.ts`.
 */
import { KEPT_PREFIX } from "../catalog/kept.ts";

/** From the worst to the least. */
export const LEVELS = ["ERROR", "WARNING", "INFO"] as const;
export type Level = (typeof LEVELS)[number];

/** An object of the catalog, with what an exemption of it may stand on. */
export interface FoundObject {
  /** The catalog that holds it, such as `pg_class`. */
  class: string;
  object: string;
  /** The number of a column; 0 for the whole. */
  part: number;
  /** The table or view that it is on. */
  relation: string | null;
  schema: string | null;
  /** As the server says: `table column`. */
  type: string;
  /** As the server says, quoted as in SQL: `platform.users.email`. */
  identity: string;
}

/** What is wrong with one object, and the SQL that mends it. */
export interface Words {
  found: string;
  mend: string;
}

/** A question to the catalog, with what an answer means. */
export interface Lint {
  /** `PGL101`: it keeps its meaning for good, and stands in exemptions. */
  code: `PGL${number}`;
  /** `rls-disabled`: the code in words. */
  name: string;
  level: Level;
  /** The level of findings whose column `is_milder` is true, where the query has it. */
  milder?: Level;
  /** Why a careful reader objects, in one sentence. */
  why: string;
  /**
   * A query on the CTEs of {@link CATALOG} that returns one row for each object at fault: `class` (the
   * catalog that holds it), `object` and `part` (its oid, and the number of a column or 0), `relation` (the
   * table or view that it is on, or null), `found`, `mend`.
   */
  find: string;
  /** What is seen only in the text of `detail`, a further column of the query; undefined: no finding. */
  refine?: (detail: unknown) => Words | undefined;
}

/** Whether no extension has made it: its author answers for that. */
const notOfExtension = (catalog: string, oid: string): string => `NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend AS d
    WHERE d.classid = 'pg_catalog.${catalog}'::pg_catalog.regclass AND d.objid = ${oid} AND d.deptype = 'e')`;

/** Whether a type `t` is a domain or an array, and what it is one of. */
const IS_BUILT = "(t.typtype = 'd' OR (t.typcategory = 'A' AND t.typelem <> 0))";
const BUILT_ON = "CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.typelem END";

/** The schemas that a function's own `search_path` names, in their order; null where it has none. */
const SCHEMAS_OF_PATH = `(
    SELECT ARRAY(
      SELECT CASE WHEN pg_catalog.starts_with(m.word, '"') THEN pg_catalog.replace(pg_catalog.substr(m.word, 2, pg_catalog.length(m.word) - 2), '""', '"')
                  ELSE pg_catalog.lower(m.word) END
      FROM (SELECT r.found[1] AS word, r.place
            FROM pg_catalog.regexp_matches(pg_catalog.substr(s.setting, 13), '"(?:[^"]|"")+"|[^",[:space:]]+', 'g') WITH ORDINALITY AS r (found, place)) AS m
      ORDER BY m.place)
    FROM pg_catalog.unnest(p.proconfig) AS s (setting) WHERE pg_catalog.starts_with(s.setting, 'search_path='))`;

/**
 * What lints ask about, of the schemas in `$1`, or of all that are the user's own where it is empty.
 * Temporary objects, members of extensions, and what is kept of a drop are left out. `reads_all` has the
 * views with the tables with row-level security that they read, directly or not; `beneath` what
 * domains and arrays are made of in the end.
 */
export const CATALOG = `
managed AS (
  SELECT n.oid, n.nspname AS name, n.nspacl AS acl, n.nspowner AS owner
  FROM pg_catalog.pg_namespace AS n
  WHERE CASE WHEN pg_catalog.cardinality($1::pg_catalog.text[]) > 0 THEN n.nspname::pg_catalog.text = ANY ($1)
             ELSE n.nspname <> 'information_schema' AND NOT pg_catalog.starts_with(n.nspname::pg_catalog.text, 'pg_')
               AND NOT pg_catalog.starts_with(n.nspname::pg_catalog.text, '${KEPT_PREFIX}') AND ${notOfExtension("pg_namespace", "n.oid")} END
), relation AS (
  SELECT c.oid, c.relname AS name, m.oid AS schema, c.relkind AS kind, c.relowner AS owner, c.relacl AS acl,
         c.relrowsecurity AS has_rls, c.relispartition AS is_partition, c.relpersistence AS persistence,
         c.reloptions AS options, c.relpages AS pages, c.reltuples AS tuples,
         pg_catalog.format('%I.%I', m.name, c.relname) AS label
  FROM pg_catalog.pg_class AS c JOIN managed AS m ON m.oid = c.relnamespace
  WHERE c.relpersistence <> 't' AND ${notOfExtension("pg_class", "c.oid")}
), own_table AS (
  SELECT * FROM relation WHERE kind IN ('r', 'p')
), beneath AS (
  WITH RECURSIVE down AS (
    SELECT t.oid, ${BUILT_ON} AS base, t.typtype = 'd' AS has_domain, t.typtype <> 'd' AS is_array FROM pg_catalog.pg_type AS t WHERE ${IS_BUILT}
    UNION ALL
    SELECT down.oid, ${BUILT_ON}, down.has_domain OR t.typtype = 'd', down.is_array OR t.typtype <> 'd'
    FROM down JOIN pg_catalog.pg_type AS t ON t.oid = down.base WHERE ${IS_BUILT}
  )
  SELECT DISTINCT ON (down.oid) down.* FROM down JOIN pg_catalog.pg_type AS t ON t.oid = down.base WHERE NOT (${IS_BUILT})
), own_column AS (
  SELECT t.oid AS relation, t.label, t.kind AS table_kind, a.attnum AS number, a.attname AS name, a.atttypid AS type, a.atttypmod AS modifier,
         a.attidentity AS identity, a.attacl AS acl, a.attnotnull AS is_not_null, a.attinhcount > 0 AS is_inherited, t.has_rls, t.owner,
         coalesce(b.base, a.atttypid) AS base, CASE WHEN b.is_array THEN '[]' ELSE '' END AS brackets,
         pg_catalog.concat(pg_catalog.format_type(a.atttypid, a.atttypmod), CASE WHEN b.has_domain THEN ' over ' || pg_catalog.format_type(b.base, NULL) END) AS type_name,
         pg_catalog.format('ALTER TABLE %s ALTER COLUMN %I', t.label, a.attname) AS alter_column
  FROM own_table AS t JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid LEFT JOIN beneath AS b ON b.oid = a.atttypid
  WHERE a.attnum > 0 AND NOT a.attisdropped AND NOT t.is_partition
    AND NOT pg_catalog.starts_with(a.attname::pg_catalog.text, '${KEPT_PREFIX}')
), granted AS (
  SELECT r.oid AS relation, a.grantee, a.privilege_type AS privilege
  FROM relation AS r CROSS JOIN LATERAL pg_catalog.aclexplode(r.acl) AS a
  WHERE a.grantee <> r.owner
  UNION
  SELECT r.oid, a.grantee, a.privilege_type
  FROM relation AS r JOIN pg_catalog.pg_attribute AS t ON t.attrelid = r.oid CROSS JOIN LATERAL pg_catalog.aclexplode(t.attacl) AS a
  WHERE t.attacl IS NOT NULL AND a.grantee <> r.owner
), reached AS (
  SELECT g.relation, pg_catalog.bool_or(g.grantee = 0) AS by_public,
         pg_catalog.string_agg(DISTINCT CASE WHEN g.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.pg_get_userbyid(g.grantee)::pg_catalog.text END, ', ') AS roles,
         pg_catalog.string_agg(DISTINCT CASE WHEN g.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(g.grantee)::pg_catalog.text) END, ', ') AS grantees
  FROM granted AS g WHERE g.privilege IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE') GROUP BY g.relation
), routine AS (
  SELECT p.oid, p.proname AS name, m.oid AS schema, p.proowner AS owner, p.proacl AS acl, p.prosecdef AS is_definer, p.proconfig AS settings,
         ${SCHEMAS_OF_PATH} AS path, p.prorettype IN ('pg_catalog.trigger'::pg_catalog.regtype, 'pg_catalog.event_trigger'::pg_catalog.regtype) AS is_trigger, p.prosqlbody IS NOT NULL AS is_parsed, l.lanname AS language,
         CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END AS kind,
         pg_catalog.format('%I.%I(%s)', m.name, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid)) AS label
  FROM pg_catalog.pg_proc AS p JOIN managed AS m ON m.oid = p.pronamespace JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
  WHERE p.prokind IN ('f', 'p', 'w') AND ${notOfExtension("pg_proc", "p.oid")}
), policy AS (
  SELECT p.oid, p.polname AS name, t.oid AS relation, t.label AS table_label, t.has_rls, p.polcmd AS command, p.polpermissive AS is_permissive,
         p.polroles AS roles, p.polqual, p.polwithcheck,
         pg_catalog.pg_get_expr(p.polqual, p.polrelid) AS qual, pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) AS with_check,
         pg_catalog.format('ALTER POLICY %I ON %s', p.polname, t.label) AS alter_policy
  FROM pg_catalog.pg_policy AS p JOIN own_table AS t ON t.oid = p.polrelid
), reads AS (
  SELECT DISTINCT w.ev_class AS reader, d.refobjid AS source
  FROM pg_catalog.pg_rewrite AS w
  JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = w.oid
    AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid <> w.ev_class
  WHERE w.ev_type = '1'
), reads_all AS (
  WITH RECURSIVE down AS (
    SELECT r.oid AS reader, s.source FROM relation AS r JOIN reads AS s ON s.reader = r.oid WHERE r.kind IN ('v', 'm')
    UNION
    SELECT down.reader, s.source FROM down JOIN reads AS s ON s.reader = down.source
  )
  SELECT down.reader, pg_catalog.string_agg(pg_catalog.format('%I.%I', n.nspname, c.relname), ', ' ORDER BY n.nspname, c.relname) AS tables
  FROM down JOIN pg_catalog.pg_class AS c ON c.oid = down.source JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  WHERE c.relrowsecurity
  GROUP BY down.reader
)`;
