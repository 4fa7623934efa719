/**
 * What the time between a change of results and the new ones means for readers, and what recomputing
 * costs.
 */
import { describe, nameInApproval } from "../catalog/objectNames.ts";
import type { FactBase } from "../catalog/pgDelta.ts";
import { rowsInWords, type TableSizes } from "../catalog/tables.ts";
import { MOST_ROWS_AT_ONCE, rowsOf } from "./online/recompute.ts";
import type { Statement } from "./statement.ts";
import type { StoredIn, StoredResult } from "./storedResults.ts";

const CODES = {
  index: "PS221",
  "generated column": "PS222",
  check: "PS223",
  "partition key": "PS224",
  exclusion: "PS225",
  statistics: "PS226",
  "materialized view": "PS227",
} as const satisfies Record<StoredIn, string>;

const APPROVALS: Record<StoredIn, string> = {
  index: "rebuild-index",
  "generated column": "recompute-column",
  check: "recheck-constraint",
  "partition key": "recheck-partitions",
  exclusion: "rebuild-index",
  statistics: "analyze-table",
  "materialized view": "refresh-view",
};

interface StaleHazard {
  code: (typeof CODES)[StoredIn];
  approval: string;
  stops: boolean;
  message: string;
}

/** Whether a step does nothing to the rows. */
const isAside = (sql: string): boolean => /^DROP | RESET [^\n]*$| NOT VALID$| DROP CONSTRAINT [^\n]*$/.test(sql);

/** One for the step that does the work; none where there are no rows. */
export function staleHazards(
  { recomputes, transaction, sql, backfill }: Statement,
  { live, sizes }: { live: FactBase; sizes: TableSizes },
): StaleHazard[] {
  if (recomputes === undefined || isAside(sql)) return [];
  const rows = rowsOf(recomputes, sizes, live);
  if (rows === 0) return [];
  const isSmall = rows <= MOST_ROWS_AT_ONCE;
  const isApart = transaction === "none" || backfill !== undefined;
  return [
    {
      code: CODES[recomputes.in],
      approval: `${APPROVALS[recomputes.in]}:${nameInApproval(recomputes.id)}`,
      stops: !isSmall && recomputes.in !== "statistics" && !(isApart && recomputes.in === "materialized view"),
      message: `${describe(recomputes.id)} holds results of a changed ${recomputes.of} for ${rowsInWords(rows)}: ${consequence(recomputes, isSmall, isApart)}`,
    },
  ];
}

function consequence({ of, in: stored, isUnique }: StoredResult, isSmall: boolean, isApart: boolean): string {
  if (stored === "statistics")
    return "the planner uses the old ones until the table is analyzed, after the transaction";
  if (!isApart) {
    const waiting = isSmall ? "" : ", while other sessions wait";
    switch (stored) {
      case "check":
        return `they are checked in the same transaction${waiting}`;
      case "partition key":
        return `they are checked in the same transaction${waiting}, and rows that belong elsewhere stop it`;
      case "index":
        return `it is rebuilt in the same transaction${waiting}${isUnique ? ", and equal values stop it" : ""}`;
      case "exclusion":
        return `it is rebuilt in the same transaction${waiting}, and rows that exclude each other stop it`;
      default:
        return `they are recomputed in the same transaction${waiting}`;
    }
  }
  switch (stored) {
    case "index":
      return "queries that use it find rows by the old ones until it is rebuilt, right after the transaction";
    case "check":
      return `rows that break it are found only after the ${of} has changed`;
    case "materialized view":
      return "it shows the old ones until it is refreshed, right after the transaction";
    default:
      return "they are the old ones until recomputed in batches, right after the transaction; triggers of the table run";
  }
}
