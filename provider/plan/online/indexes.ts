/** Indexes that are built, replaced and dropped concurrently. */
import { leavesOf } from "../../catalog/partitions.ts";
import { encodeId, type StableId } from "../../catalog/pgDelta.ts";
import { quoteIdent, quoteQualified } from "../../catalog/quote.ts";
import { tableOf, text } from "../../catalog/tables.ts";
import { LONGEST_NAME_BYTES, shortened, withName } from "../indexDefinition.ts";
import { REPLACEMENT_SUFFIX } from "../recipeConstraints.ts";
import type { Statement } from "../statement.ts";
import { asId, brief, type IndexId, type OnlineContext, type Recipe, standalone, step } from "./recipe.ts";

export function withoutLeftOver(statement: Statement, id: IndexId, { invalidIndexes }: OnlineContext): Recipe {
  if (!invalidIndexes.has(encodeId(asId(id)))) return { soon: [statement], later: [] };
  const name = quoteQualified(id.schema, id.name);
  return {
    soon: [step(statement, `DROP INDEX ${name}`, { ...brief, op: "delete" }), statement],
    later: [],
  };
}

export function buildIndex(statement: Statement, id: IndexId, context: OnlineContext): Statement[] {
  const leftOver = context.invalidIndexes.has(encodeId(asId(id)));
  const successor = successorOf(id);
  const finished = context.live.get(asId(successor));
  // A replacement that ended between dropping the old index and giving the new one its name.
  if (finished !== undefined && withName(text(finished, "def"), id) === statement.sql)
    return [rename(statement, successor, id)];
  return [
    ...(leftOver ? [dropConcurrently(statement, id)] : []),
    ...(finished === undefined && !context.invalidIndexes.has(encodeId(asId(successor)))
      ? []
      : [dropConcurrently(statement, successor)]),
    step(statement, concurrently(statement.sql), { ...standalone, undo: undoBuild(id) }),
  ];
}

/**
 * The server cannot build an index of a partitioned table concurrently, but one of each partition, and takes
 * those that are there when the index of the whole table comes.
 */
export function buildOnPartitions(
  statement: Statement,
  id: IndexId & StableId,
  { live, desired, invalidIndexes }: OnlineContext,
): Recipe {
  const table = tableOf(id, desired);
  // One that goes with the same plan needs no index.
  const staying = new Set(leavesOf(table, desired).map(({ schema, name }) => quoteQualified(schema, name)));
  const leaves = leavesOf(table, live).filter(({ schema, name }) => staying.has(quoteQualified(schema, name)));
  const parts = leaves.flatMap((part): Statement[] => {
    const own: IndexId = { schema: part.schema, name: shortened(`${part.name}_${id.name}`, LONGEST_NAME_BYTES) };
    const leftOver = live.has(asId(own)) || invalidIndexes.has(encodeId(asId(own)));
    const sql = concurrently(withName(statement.sql, own)).replace(
      TABLE_OF_INDEX,
      (_found, head: string) => `${head}${quoteQualified(part.schema, part.name)}`,
    );
    return [
      ...(leftOver ? [dropConcurrently(statement, own)] : []),
      step(statement, sql, { ...standalone, undo: undoBuild(own) }),
    ];
  });
  return { soon: [], later: [...parts, step(statement, statement.sql, { work: "catalog" })] };
}

/** Up to the table that a definition of an index names. */
const TABLE_OF_INDEX =
  /^(CREATE (?:UNIQUE )?INDEX CONCURRENTLY (?:"(?:[^"]|"")+"|[^\s"]+) ON )(?:"(?:[^"]|"")+"|[^\s".]+)\.(?:"(?:[^"]|"")+"|[^\s".]+)/;

/**
 * Without a moment in which neither the old index nor the new one is there.
 *
 * @param drop of the old index, or of the unique constraint that it stands for.
 */
export function replaceIndex(
  statement: Statement,
  id: IndexId,
  drop: Statement,
  { live, invalidIndexes }: OnlineContext,
): Statement[] {
  const successor = successorOf(id);
  const leftOver = live.has(asId(successor)) || invalidIndexes.has(encodeId(asId(successor)));
  return [
    ...(leftOver ? [dropConcurrently(statement, successor)] : []),
    step(statement, concurrently(withName(statement.sql, successor)), { ...standalone, undo: undoBuild(successor) }),
    drop.id?.kind === "index" ? dropConcurrently(statement, id) : drop,
    rename(statement, successor, id),
  ];
}

const concurrently = (sql: string): string =>
  sql.replace(/^CREATE (UNIQUE )?INDEX /, (found) => `${found}CONCURRENTLY `);

export const undoBuild = ({ schema, name }: IndexId) => ({
  sql: `DROP INDEX CONCURRENTLY IF EXISTS ${quoteQualified(schema, name)}`,
  steps: 0,
});

export function dropConcurrently(statement: Statement, id: IndexId): Statement {
  return step(statement, `DROP INDEX CONCURRENTLY IF EXISTS ${quoteQualified(id.schema, id.name)}`, {
    ...standalone,
    op: "delete",
  });
}

function rename(statement: Statement, from: IndexId, to: IndexId): Statement {
  const sql = `ALTER INDEX ${quoteQualified(from.schema, from.name)} RENAME TO ${quoteIdent(to.name)}`;
  return step(statement, sql, { ...standalone, work: "catalog", op: "update" });
}

/** The name under which the replacement of an index is built. */
function successorOf({ schema, name }: IndexId): IndexId {
  const suffix = REPLACEMENT_SUFFIX;
  return { schema, name: shortened(name, LONGEST_NAME_BYTES - suffix.length) + suffix };
}
