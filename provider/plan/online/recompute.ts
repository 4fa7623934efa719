/**
 * Steps that recompute what is stored of changed results: small tables in the transaction of the change,
 * large ones after it, repeated by the next run. What is stored is found by `storedResults.ts`.
 */
import { describe } from "../../catalog/objectNames.ts";
import { encodeId, type FactBase } from "../../catalog/pgDelta.ts";
import { quoteIdent, quoteQualified } from "../../catalog/quote.ts";
import { type TableSizes, tablesOfDomain, text } from "../../catalog/tables.ts";
import { LONGEST_NAME_BYTES } from "../indexDefinition.ts";
import { recheckName } from "../recipeConstraints.ts";
import type { Lock, Statement } from "../statement.ts";
import type { StoredResult } from "../storedResults.ts";
import { asId, brief, type IndexId, type OnlineContext, type Recipe, standalone, step } from "./recipe.ts";

/** So few that computing them again takes no longer than the other statements of a transaction. */
export const MOST_ROWS_AT_ONCE = 10_000;

export function recompute(stored: readonly StoredResult[], context: OnlineContext): Recipe {
  const recipes = stored.map((result) => recipeFor(result, context));
  return {
    soon: recipes.flatMap(({ soon }) => soon),
    later: recipes.flatMap(({ later }) => later),
  };
}

/** Rows that an object holds results for. */
export function rowsOf({ id, table }: StoredResult, sizes: TableSizes, live: FactBase): number {
  const relations = id.kind === "constraint" && table === undefined ? tablesOfDomain(id, live) : [table ?? id];
  return relations.reduce((sum, each) => sum + (sizes.get(encodeId(each))?.rows ?? 0), 0);
}

function recipeFor(result: StoredResult, context: OnlineContext): Recipe {
  const isSmall = rowsOf(result, context.sizes, context.live) <= MOST_ROWS_AT_ONCE;
  switch (result.in) {
    case "index":
    case "exclusion":
      return reindex(result, isSmall, context);
    case "generated column":
      return fillAgain(result, isSmall, context);
    case "check":
      return checkAgain(result, isSmall, context);
    case "partition key":
      return result.table === undefined ? NOTHING : now(statementOf(result, refuseMisplaced(result.table, result)));
    case "statistics":
      return result.table === undefined ? NOTHING : then(statementOf(result, `ANALYZE ${nameOf(result.table)}`));
    case "materialized view":
      return refresh(result, isSmall);
  }
}

const NOTHING: Recipe = { soon: [], later: [] };
const now = (...soon: Statement[]): Recipe => ({ soon, later: [] });
/** After the transaction, each by itself. */
const then = (...steps: Statement[]): Recipe => ({
  soon: [],
  later: steps.map((each) => ({ ...each, ...standalone })),
});

const nameOf = ({ schema, name }: IndexId): string => quoteQualified(schema, name);

function statementOf(recomputes: StoredResult, sql: string, lock: Lock = "ACCESS EXCLUSIVE"): Statement {
  const { id } = recomputes;
  return {
    sql,
    op: "update",
    object: describe(recomputes.table ?? id),
    id,
    subject: describe(id),
    lock,
    transaction: "shared",
    work: "rows",
    drops: [],
    rewrites: false,
    destructive: false,
    consumes: [],
    recomputes,
  };
}

/**
 * What refuses rows is built under a lock however large it is: where the rows do not fit, nothing else has
 * then changed either.
 */
function reindex(result: StoredResult, isSmall: boolean, { live, invalidIndexes }: OnlineContext): Recipe {
  const { id, table, index, isUnique } = result;
  if (table === undefined) return NOTHING;
  const isNamed = live.has(id);
  if (isSmall || isUnique || result.in === "exclusion") {
    const all = [forgetting(`ALTER INDEX ${nameOf(index)} ${FORGET};`), `REINDEX INDEX ${nameOf(index)}`];
    return now(...(isNamed ? all : [reindexAll(table)]).map((sql) => statementOf(result, sql)));
  }
  if (!isNamed) return then(statementOf(result, `REINDEX TABLE CONCURRENTLY ${nameOf(table)}`));
  const leftOvers = ["_ccnew", "_ccold"].map((suffix) => ({ ...index, name: serverName(index.name, suffix) }));
  const dropped = leftOvers.filter((each) => invalidIndexes.has(encodeId(asId(each)))).map(dropping);
  const [building] = leftOvers.map(dropping);
  return then(...dropped.map((sql) => statementOf(result, sql)), {
    ...statementOf(result, `REINDEX INDEX CONCURRENTLY ${nameOf(index)}`),
    ...(building === undefined ? {} : { undo: { sql: building, steps: 0 } }),
  });
}

/**
 * A session keeps the expressions of an index, and a partition key, with the body of an SQL function in the
 * place of its call, and no change of the function tells it so: even `REINDEX` would go by the old one. To
 * forget them it has to learn of a change while the relation is not in use, which is so when one is undone.
 * This one takes nothing away either.
 */
const FORGET = "RESET (pgstrata)";
const UNDONE = "RAISE EXCEPTION 'undone'; EXCEPTION WHEN raise_exception THEN NULL";

const forgetting = (sql: string): string => `DO $pgstrata$ BEGIN ${sql} ${UNDONE}; END $pgstrata$`;

/** The indexes of a partition have names that the server has made. */
const reindexAll = (table: IndexId): string => `DO $pgstrata$
DECLARE each pg_catalog.regclass;
BEGIN
  FOR each IN SELECT indexrelid FROM pg_catalog.pg_index WHERE indrelid = ${asRegclass(table)} LOOP
    BEGIN EXECUTE pg_catalog.format('ALTER INDEX %s ${FORGET}', each); ${UNDONE}; END;
    EXECUTE pg_catalog.format('REINDEX INDEX %s', each);
  END LOOP;
END $pgstrata$`;

const asRegclass = (relation: IndexId): string => `'${nameOf(relation).replaceAll("'", "''")}'::pg_catalog.regclass`;

const dropping = (index: IndexId): string => `DROP INDEX CONCURRENTLY IF EXISTS ${nameOf(index)}`;

/** A name as the server makes one, which it cuts within a character of several bytes nowhere. */
function serverName(name: string, suffix: string): string {
  const letters = [...name];
  while (Buffer.byteLength(letters.join("")) + suffix.length > LONGEST_NAME_BYTES) letters.pop();
  return letters.join("") + suffix;
}

/**
 * The server computes a generated column when one that it stands on is set, be it to the same value. Naming
 * the column alone, `SET … = DEFAULT`, computes nothing.
 */
function fillAgain(result: StoredResult, isSmall: boolean, { desired, majorVersion }: OnlineContext): Recipe {
  const { id, table, through } = result;
  if (id.kind !== "column" || table === undefined) return NOTHING;
  const expression = text(desired.get(id), "generatedExpr") || result.expression;
  const column = quoteIdent(id.name);
  if (majorVersion >= 17 && (isSmall || through === "")) {
    const sql = `ALTER TABLE ${nameOf(table)} ALTER COLUMN ${column} SET EXPRESSION AS (${expression})`;
    return now({ ...statementOf(result, sql), rewrites: true });
  }
  const isOld = `ROW(${column})::pg_catalog.record OPERATOR(pg_catalog.*<>) ROW(${expression})::pg_catalog.record`;
  if (through === "")
    return now(statementOf(result, refuseOld(table, `${nameOf(table)} WHERE ${isOld}`, result.of), "SHARE"));
  const set = quoteIdent(through);
  const sql = `UPDATE ONLY ${nameOf(table)} SET ${set} = ${set}`;
  if (isSmall) return now(statementOf(result, sql, "SHARE ROW EXCLUSIVE"));
  const inBatches = { table: nameOf(table), column, recomputed: { expression, set } };
  const { later } = then(statementOf(result, `${sql} WHERE ${isOld}`));
  return { soon: [], later: later.map((each) => ({ ...each, lock: "none", backfill: inBatches })) };
}

/** Where no column may be set, servers before version 17 compute nothing again. */
function refuseOld({ schema, name }: IndexId, rows: string, of: string): string {
  const message = `rows of ${schema}.${name} hold results of the ${of} before its change`.replaceAll("'", "''");
  return `DO $pgstrata$
BEGIN
  IF EXISTS (SELECT FROM ONLY ${rows}) THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = '${message}',
      HINT = 'Drop the generated column in an update of its own, and add it again in the next one.';
  END IF;
END $pgstrata$`;
}

/** The server validates a constraint once. So an equal one is validated beside it. */
function checkAgain(result: StoredResult, isSmall: boolean, { live, desired }: OnlineContext): Recipe {
  const { id, table } = result;
  if (id.kind !== "constraint") return NOTHING;
  const def = text(desired.get(id) ?? live.get(id), "def");
  const alter = `ALTER ${table === undefined ? "DOMAIN" : "TABLE"} ${quoteQualified(id.schema, id.table)}`;
  const name = quoteIdent(recheckName(id.name));
  const drop = step(statementOf(result, `${alter} DROP CONSTRAINT ${name}`), `${alter} DROP CONSTRAINT ${name}`, brief);
  const add = statementOf(result, `${alter} ADD CONSTRAINT ${name} ${def}`);
  if (isSmall || table === undefined) return now(add, drop);
  const validate = statementOf(result, `${alter} VALIDATE CONSTRAINT ${name}`);
  return {
    soon: [step(add, `${add.sql} NOT VALID`, brief)],
    later: [
      { ...validate, ...standalone, undo: { sql: `${alter} DROP CONSTRAINT IF EXISTS ${name}`, steps: 1 } },
      drop,
    ],
  };
}

/**
 * Rows cannot be sent to another partition in place, so a change that would need that is refused. By a
 * changed order any row may.
 */
function refuseMisplaced(table: IndexId, { of, isByOrder }: StoredResult): string {
  const isMisplaced = isByOrder ? "true" : "NOT (%s)";
  return `DO $pgstrata$
DECLARE part pg_catalog.regclass; is_misplaced pg_catalog.bool;
BEGIN
  FOR part IN SELECT relid FROM pg_catalog.pg_partition_tree(${asRegclass(table)}) LOOP
    BEGIN EXECUTE pg_catalog.format('ALTER TABLE %s ${FORGET}', part); ${UNDONE}; END;
    -- The other sessions learn of it with the commit.
    EXECUTE pg_catalog.format('ALTER TABLE %s ${FORGET}', part);
  END LOOP;
  FOR part IN SELECT relid FROM pg_catalog.pg_partition_tree(${asRegclass(table)}) WHERE isleaf LOOP
    CONTINUE WHEN pg_catalog.pg_get_partition_constraintdef(part) IS NULL;
    EXECUTE pg_catalog.format('SELECT EXISTS (SELECT FROM ONLY %s WHERE ${isMisplaced})', part, pg_catalog.pg_get_partition_constraintdef(part))
      INTO is_misplaced;
    IF is_misplaced THEN
      RAISE EXCEPTION 'rows of % belong to another partition by the changed ${of}', part USING ERRCODE = 'check_violation',
        HINT = 'Make a new partitioned table with a ${of} of another name, move the rows, and drop the old one.';
    END IF;
  END LOOP;
END $pgstrata$`;
}

function refresh(result: StoredResult, isSmall: boolean): Recipe {
  const { id, isConcurrent } = result;
  if (id.kind !== "materializedView") return NOTHING;
  if (isConcurrent && !isSmall)
    return then(statementOf(result, `REFRESH MATERIALIZED VIEW CONCURRENTLY ${nameOf(id)}`));
  return now(statementOf(result, `REFRESH MATERIALIZED VIEW ${nameOf(id)}`));
}
