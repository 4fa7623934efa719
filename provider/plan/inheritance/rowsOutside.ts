/** Asks, before anything is changed, whether the rows of tables fit the bounds that they are to have. */
import type { ClientBase, Pool } from "pg";
import { parentsOf } from "../../catalog/inheritance.ts";
import { describe } from "../../catalog/objectNames.ts";
import { encodeId, type FactBase } from "../../catalog/pgDelta.ts";
import { quoteQualified } from "../../catalog/quote.ts";
import { asTable, rowsBehind, type TableId, type TableSizes, text } from "../../catalog/tables.ts";
import { UserError } from "../../core/errors.ts";
import { conditionOf } from "./onlineLinks.ts";
import type { Segment } from "./segment.ts";

const MOST_COUNTED = 1000;
const TIME_LIMIT_MS = 2000;

/**
 * @throws {UserError} that says how many rows do not fit, and how to list them. Where the answer takes too
 *   long or is refused, the update finds out when it validates its check, before it changes a bound.
 */
export async function refuseRowsOutside(
  client: ClientBase | Pool,
  segments: readonly Segment[],
  sizes: TableSizes,
): Promise<void> {
  const faults: string[] = [];
  for (const { list, live, desired, isLinking } of segments) {
    if (!isLinking) continue;
    for (const { id, sql, copies } of list.statements) {
      const table = asTable(id);
      if (table === undefined || rowsBehind(table, sizes, live, desired) === 0) continue;
      const condition = copies === true ? conditionOfParts(table, desired) : conditionOf(table, desired);
      if (condition === undefined || !(copies === true || / ATTACH PARTITION /.test(sql))) continue;
      const rows = `from ${quoteQualified(table.schema, table.name)} where (${condition}) is not true`;
      const count = await countSome(client, rows);
      if (count === 0) continue;
      const some = `${count > MOST_COUNTED ? `more than ${MOST_COUNTED.toLocaleString("en-US")}` : count} ${count === 1 ? "row" : "rows"}`;
      const what =
        copies === true
          ? `${some} ${count === 1 ? "fits" : "fit"} none of its partitions`
          : `${some} outside of ${text(desired.get(table), "partitionBound")}`;
      faults.push(`  ${describe(table)}: ${what}; they are listed by \`select * ${rows}\``);
    }
  }
  if (faults.length === 0) return;
  throw new UserError(
    "PS310",
    [
      "Stopped before the first statement, because rows do not fit the bounds of partitions in the files:",
      ...faults,
      "Expected none. Move or delete these rows, or declare another bound. Nothing was changed.",
    ].join("\n"),
  );
}

/** What one of the partitions says of each row; undefined where one says no condition. */
function conditionOfParts(table: TableId, desired: FactBase): string | undefined {
  if (text(desired.get(table), "partitionKey") === "") return undefined;
  const parts = desired.facts().flatMap((fact) => {
    const part = asTable(fact.id);
    return part !== undefined && parentsOf(fact).some((parent) => encodeId(parent) === encodeId(table)) ? [part] : [];
  });
  const conditions = parts.map((part) => conditionOf(part, desired));
  if (conditions.includes(undefined)) return undefined;
  return conditions.length === 0 ? "false" : conditions.map((condition) => `(${condition})`).join(" OR ");
}

/** 0 where the database does not say. */
async function countSome(client: ClientBase | Pool, rows: string): Promise<number> {
  const question =
    `set local row_security = off; set local statement_timeout = ${TIME_LIMIT_MS}; set local lock_timeout = 250; ` +
    `select pg_catalog.count(*)::int as rows from (select ${rows} limit ${MOST_COUNTED + 1}) as sample`;
  try {
    const results: unknown = await client.query(question);
    const last: unknown = Array.isArray(results) ? results.at(-1) : results;
    return rowsIn(last);
  } catch {
    return 0;
  }
}

function rowsIn(result: unknown): number {
  if (typeof result !== "object" || result === null || !("rows" in result) || !Array.isArray(result.rows)) return 0;
  const [row]: unknown[] = result.rows;
  return typeof row === "object" && row !== null && "rows" in row && typeof row.rows === "number" ? row.rows : 0;
}
