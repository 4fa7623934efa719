/**
 * Which new partitions take rows that lie in the default partition. Asked while a plan is made, because it
 * decides on the statements; how many rows that are is asked afterwards.
 */
import pg, { type ClientBase, type Pool } from "pg";
import { encodeId } from "../../catalog/pgDelta.ts";
import { searchPathsIn } from "../../catalog/searchPath.ts";
import { asTable } from "../../catalog/tables.ts";
import { PINNED_SEARCH_PATH } from "../../core/searchPath.ts";
import { newPartitionQuestions } from "../rowChecks/partitions.ts";
import type { QuestionContext } from "../rowChecks/source.ts";
import { obstacleToMove } from "./obstacleToMove.ts";

const LOCK_TIMEOUT_MS = 250;
const QUESTION_TIMEOUT_MS = 2000;

/**
 * Encoded ids of new partitions of which the default one has rows, or may have: where it cannot be asked in
 * time, the recipe does no harm.
 */
export async function displacing(
  client: ClientBase | Pool,
  contexts: readonly QuestionContext[],
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const context of contexts) {
    for (const statement of context.statements) {
      const partition = asTable(statement.id);
      if (partition === undefined || statement.op !== "create" || !/ PARTITION OF /.test(statement.sql)) continue;
      if (obstacleToMove(statement, context) !== undefined) continue;
      for (const { asks } of newPartitionQuestions(statement, partition, context))
        if (await hasRows(client, asks, searchPathsIn(context.desired)(statement.sql))) found.add(encodeId(partition));
    }
  }
  return found;
}

/** undefined_table, undefined_column: what another layer of this preview makes has no rows. */
const NOT_THERE: ReadonlySet<string> = new Set(["42P01", "42703"]);

/** @param quotedQuestion made of quoted names and of what the server printed. */
async function hasRows(
  client: ClientBase | Pool,
  quotedQuestion: string,
  searchPath = PINNED_SEARCH_PATH,
): Promise<boolean> {
  const settings = [
    "row_security = off",
    `lock_timeout = ${LOCK_TIMEOUT_MS}`,
    `statement_timeout = ${QUESTION_TIMEOUT_MS}`,
    `search_path = ${searchPath}`,
  ];
  const all = [...settings.map((setting) => `set local ${setting}`), `${quotedQuestion} LIMIT 1`];
  try {
    const results: unknown = await client.query(all.join("; "));
    const last: unknown = Array.isArray(results) ? results.at(-1) : results;
    return typeof last === "object" && last !== null && "rowCount" in last && last.rowCount !== 0;
  } catch (error) {
    return !(error instanceof pg.DatabaseError && NOT_THERE.has(error.code ?? ""));
  }
}
