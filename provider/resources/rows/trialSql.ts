// The statements by which a preview asks for what an update of a set would be refused: rows are written into
// a temporary table with the columns and checks of theirs, which has no triggers, defaults or sequences.
import { quoteIdent, quoteLiteral } from "../../catalog/quote.ts";
import type { Column } from "../row/columns.ts";
import type { SetColumn, SetLayout } from "./layout.ts";
import {
  equals,
  isNotInSet,
  keysEqual,
  matches,
  nameOf,
  SET,
  staged,
  targetOf,
  textsOf,
  typed,
  type Writing,
} from "./sql.ts";

/** What a trial table is made of. */
export interface TrialShape {
  /** `r` and `p` are tables. */
  kind: string;
  /** Whether a temporary table can be made here. */
  isPossible: boolean;
  hasRules: boolean;
  /** Triggers that may give values before a row is stored, by the statements that fire them. */
  triggersBefore: { insert: boolean; update: boolean };
  /** Triggers of any time may add what a foreign key asks for. */
  hasTriggers: boolean;
  columns: { name: string; type: string; isRequired: boolean; isGenerated: boolean; hasDefault: boolean }[];
  /** Unique constraints and indexes on columns, for all rows. */
  uniques: { name: string; columns: string[] }[];
  /** Checks whose verdict depends on the row alone. */
  checks: { name: string; expression: string; columns: string[] }[];
}

/**
 * Returns one {@link TrialShape} of a table; takes schema and name. A function that is not immutable may read
 * other rows, so a check that calls one is left out; of `conenforced`, versions before 18 know nothing.
 */
export const TRIAL_SHAPE = `
  SELECT c.relkind::pg_catalog.text AS kind, c.relhasrules AS "hasRules",
    pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMP') AND NOT pg_catalog.pg_is_in_recovery()
      AND pg_catalog.current_setting('transaction_read_only') = 'off' AS "isPossible",
    (SELECT pg_catalog.json_build_object(
       'insert', coalesce(pg_catalog.bool_or(t.tgtype & 7 = 7), false), 'update', coalesce(pg_catalog.bool_or(t.tgtype & 19 = 19), false))
       FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled <> 'D') AS "triggersBefore",
    EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled <> 'D') AS "hasTriggers",
    (SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
       'name', a.attname,
       'type', pg_catalog.format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attcollation <> d.typcollation THEN
         (SELECT pg_catalog.format(' COLLATE %I.%I', s.nspname, l.collname) FROM pg_catalog.pg_collation l
            JOIN pg_catalog.pg_namespace s ON s.oid = l.collnamespace WHERE l.oid = a.attcollation) ELSE '' END,
       'isRequired', a.attnotnull, 'isGenerated', a.attgenerated <> '',
       'hasDefault', a.atthasdef OR a.attidentity <> '' OR d.typdefaultbin IS NOT NULL) ORDER BY a.attnum)
       FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type d ON d.oid = a.atttypid
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
    (SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
       'name', x.relname,
       'columns', ARRAY (SELECT a.attname FROM pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY AS k (num, place)
                           JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.num WHERE k.place <= i.indnkeyatts)) ORDER BY x.relname), '[]')
       FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
      WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL) AS uniques,
    (SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
       'name', k.conname, 'expression', pg_catalog.pg_get_expr(k.conbin, k.conrelid),
       'columns', ARRAY (SELECT a.attname FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY (k.conkey))) ORDER BY k.conname), '[]')
       FROM pg_catalog.pg_constraint k
      WHERE k.conrelid = c.oid AND k.contype = 'c' AND NOT 0 = ANY (coalesce(k.conkey, '{}'))
        AND coalesce(pg_catalog.to_jsonb(k) ->> 'conenforced', 'true') = 'true'
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend p JOIN pg_catalog.pg_proc f ON f.oid = p.refobjid
                         WHERE p.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND p.objid = k.oid
                           AND p.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND f.provolatile <> 'i')) AS checks
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND c.relname = $2`;

/** One kind of write, and the columns whose values it gives to all of its rows. */
export interface Trial {
  table: string;
  columns: TrialShape["columns"];
  /** Without them where a trigger may give other values. */
  isChecked: boolean;
}

const ADDED = "pg_temp.pgstrata_added";
const FRESH = "pgstrata_fresh";
const CHANGED = "pg_temp.pgstrata_changed";

/** What a default gives is not known, so such a column is left out where the set has it not. */
export function trialOfAdded(shape: TrialShape, layout: SetLayout): Trial {
  const given = new Set(layout.columns.map(({ name }) => name));
  const columns = shape.columns.filter(
    ({ name, isGenerated, hasDefault }) => !isGenerated && (given.has(name) || !hasDefault),
  );
  return { table: ADDED, columns, isChecked: !shape.triggersBefore.insert };
}

export const trialOfChanged = (shape: TrialShape): Trial => ({
  table: CHANGED,
  columns: shape.columns.filter(({ isGenerated }) => !isGenerated),
  isChecked: !shape.triggersBefore.update,
});

export function createTrial({ table, columns, isChecked }: Trial, { checks }: TrialShape): string {
  const names = new Set(columns.map(({ name }) => name));
  const parts = [
    "pgstrata_n pg_catalog.int8",
    ...columns.map(
      ({ name, type, isRequired }) => `${quoteIdent(name)} ${type}${isChecked && isRequired ? " NOT NULL" : ""}`,
    ),
    ...checks
      .filter((check) => isChecked && check.columns.every((name) => names.has(name)))
      .map(({ name, expression }) => `CONSTRAINT ${quoteIdent(name)} CHECK (${expression})`),
  ];
  return `CREATE TEMPORARY TABLE ${table} (${parts.join(", ")}) ON COMMIT DROP`;
}

interface Range {
  from: number;
  to: number;
}

const within = ({ from, to }: Range): string =>
  `NOT pgstrata_s.pgstrata_open AND pgstrata_s.pgstrata_n >= ${from} AND pgstrata_s.pgstrata_n < ${to}`;

/** Writes the new rows, as far as all their values are known. */
export function tryAdded(layout: SetLayout, range: Range): string {
  const names = layout.columns.map(({ name }) => quoteIdent(name)).join(", ");
  return (
    `INSERT INTO ${ADDED} (pgstrata_n, ${names}) SELECT pgstrata_s.pgstrata_n, ${layout.columns.map(typed).join(", ")} FROM ${SET} AS pgstrata_s ` +
    `WHERE ${within(range)} AND NOT EXISTS (SELECT FROM ${targetOf(layout.table)} WHERE ${keysEqual(layout, nameOf(layout))})`
  );
}

/** Writes the rows that differ as they would be afterwards. */
export function tryChanged(
  layout: SetLayout,
  { columns }: Trial,
  { changing, isSkipped }: Pick<Writing, "changing" | "isSkipped">,
  range: Range,
): string {
  const isSame = (held: SetColumn): string => (isSkipped(held) ? "false" : matches(layout, held));
  const values = columns.map(({ name }) => {
    const held = changing.find((column) => column.name === name);
    const field = `${nameOf(layout)}.${quoteIdent(name)}`;
    return held === undefined ? field : `CASE WHEN ${isSame(held)} THEN ${field} ELSE ${typed(held)} END`;
  });
  return (
    `INSERT INTO ${CHANGED} (pgstrata_n, ${columns.map(({ name }) => quoteIdent(name)).join(", ")}) SELECT pgstrata_s.pgstrata_n, ${values.join(", ")} ` +
    `FROM ${targetOf(layout.table)} JOIN ${SET} AS pgstrata_s ON ${keysEqual(layout, nameOf(layout))} ` +
    `WHERE ${within(range)} AND NOT (${changing.map(isSame).join(" AND ")})`
  );
}

/** A row on trial that holds another value than the set gives: of which key, in which columns. */
export interface AlteredRow {
  key: string[];
  columns: string[];
}

/**
 * Returns the first rows, as {@link AlteredRow}, of which the type of a column makes another value, such as a
 * rounded number.
 */
export function findAltered(layout: SetLayout, { table }: Trial, columns: readonly SetColumn[], limit: number): string {
  const isAltered = (held: SetColumn): string =>
    `(${equals(`pgstrata_t.${quoteIdent(held.name)}`, staged(held), held.column)}) IS FALSE`;
  const names = columns.map((held) => `CASE WHEN ${isAltered(held)} THEN ${quoteLiteral(held.name)} END`);
  return (
    `SELECT ${textsOf(layout.key.map(staged))} AS key, pg_catalog.array_remove(ARRAY[${names.join(", ")}]::pg_catalog.text[], NULL) AS columns ` +
    `FROM ${table} AS pgstrata_t JOIN ${SET} AS pgstrata_s ON pgstrata_s.pgstrata_n = pgstrata_t.pgstrata_n ` +
    `WHERE ${columns.map(isAltered).join(" OR ")} ORDER BY pgstrata_t.pgstrata_n LIMIT ${limit}`
  );
}

/**
 * Returns the number of the first row on trial that has the values of another one, or of a row that stays as
 * it is.
 *
 * @param isDeleting rows that the set does not have go before.
 */
export function findCollision(
  layout: SetLayout,
  trials: readonly Trial[],
  unique: readonly { name: string; column: Column }[],
  isDeleting: boolean,
): string {
  const names = unique.map(({ name }) => quoteIdent(name));
  const fresh = trials.map(({ table }) => `SELECT pgstrata_n, ${names.join(", ")} FROM ${table}`).join(" UNION ALL ");
  const own = nameOf(layout);
  const isSame = (one: string, other: string, columns: readonly { name: string; column: Column }[]): string =>
    columns
      .map(({ name, column }) => equals(`${one}.${quoteIdent(name)}`, `${other}.${quoteIdent(name)}`, column))
      .join(" AND ");
  const stays = isDeleting ? `AND NOT ${isNotInSet(layout, own)}` : "";
  return (
    `WITH ${FRESH} AS (${fresh}) SELECT pgstrata_f.pgstrata_n::int AS n FROM ${FRESH} AS pgstrata_f ` +
    `WHERE EXISTS (SELECT FROM ${FRESH} AS pgstrata_o WHERE pgstrata_o.pgstrata_n < pgstrata_f.pgstrata_n AND ${isSame("pgstrata_f", "pgstrata_o", unique)}) ` +
    `OR EXISTS (SELECT FROM ${targetOf(layout.table)} WHERE ${isSame("pgstrata_f", own, unique)} ${stays} ` +
    `AND NOT EXISTS (SELECT FROM ${CHANGED} AS pgstrata_c WHERE ${isSame("pgstrata_c", own, layout.key)})) ` +
    "ORDER BY 1 LIMIT 1"
  );
}

/** Returns whether one of some tables has a trigger, which may add rows to any; takes schemas and names. */
export const HAVE_TRIGGERS = `
  SELECT EXISTS (
    SELECT FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN unnest($1::pg_catalog.text[], $2::pg_catalog.text[]) AS w (schema, name) ON w.schema = n.nspname AND w.name = c.relname
    WHERE NOT t.tgisinternal AND t.tgenabled <> 'D') AS found`;
