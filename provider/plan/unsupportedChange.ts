/** What is said of a change that pg-delta cannot plan. Any other error of it is a defect. */
import { describe, isTopLevel } from "../catalog/objectNames.ts";
import { parentOf } from "../catalog/partitions.ts";
import type { FactBase, StableId } from "../catalog/pgDelta.ts";
import { quoteIdent } from "../catalog/quote.ts";
import { text } from "../catalog/tables.ts";
import type { ErrorCode } from "../core/errorCodes.ts";
import { UserError } from "../core/errors.ts";
import { columnChange } from "./columnSteps.ts";
import { wordsIn } from "./rowChecks/definitions.ts";
import type { Statement } from "./statement.ts";

/**
 * A change that takes a detour which the planner does not know: of a type in use, or of an object into one of
 * another kind.
 */
export class UnsupportedChangeError extends UserError {
  override name = "UnsupportedChangeError";

  /** @param reason in one sentence. */
  constructor(reason: string, { code = "PS307", cause }: { code?: ErrorCode; cause?: unknown } = {}) {
    super(
      code,
      `This change cannot be planned: ${reason}\nNothing was changed. Make it in two updates: first drop the object or what uses it, then make the change.`,
      { cause },
    );
  }
}

/** As the planner words what it does not support, and what is told of it. Any other error is a defect. */
const KNOWN: readonly [RegExp, (...found: string[]) => string][] = [
  [
    /^(domain|range type) (.*?): cannot replace .*?column\(s\) (.*?) depend on it/s,
    (kind, name, columns) => `${kind} ${name} cannot change while columns use it: ${columns}`,
  ],
  [
    /^enum (.*?): cannot remove or reorder values .*? — (.*?)\. The rebuild/s,
    (name, users) => `values of enum ${name} cannot be removed or reordered while these use it: ${users}`,
  ],
  [
    /^composite type (.*?): cannot change attribute "(.*?)" type/s,
    (name, attribute) =>
      `attribute "${attribute}" of composite type ${name} cannot change its type while columns use the composite type`,
  ],
  [
    /^subscription (.*?): changing two_phase /s,
    (name) => `two_phase of subscription ${name} cannot change before PostgreSQL 18`,
  ],
];

/**
 * Runs the planner.
 *
 * @throws {UnsupportedChangeError} for a change that it does not support, and where its statements wait for
 *   one another.
 */
export function planned<T>(plan: () => T, live: FactBase, desired: FactBase): T {
  try {
    return plan();
  } catch (error) {
    const { message } = error instanceof Error ? error : { message: "" };
    for (const [pattern, told] of KNOWN) {
      const [, ...found] = pattern.exec(message) ?? [];
      if (found.length > 0) throw new UnsupportedChangeError(`${told(...found)}.`, { cause: error });
    }
    // Such as a table with a policy that becomes a partition of the same name.
    const circle = /^dependency cycle among .*?\n(.*)/s.exec(message)?.[1];
    if (circle === undefined) throw error;
    throw new UnsupportedChangeError(
      `the statements for ${namedIn(circle, live, desired)} depend on one another, and pgstrata finds no order. This is a defect in pgstrata that you can work around.`,
      { code: "PS901", cause: error },
    );
  }
}

/** The server converts no column of a partition key, also not one of a partition below. */
export function refuseConvertedKeys(statements: readonly Statement[], live: FactBase, desired: FactBase): void {
  for (const { id, sql } of statements) {
    if (id?.kind !== "column" || columnChange(sql)?.change.startsWith("TYPE ") !== true) continue;
    const table = partitionedBy(id.name, { kind: "table", schema: id.schema, name: id.table }, live);
    if (table === undefined) continue;
    const [from, to] = [live, desired].map((side) => text(side.get(id), "type"));
    const change = from === to ? `take other values of ${to}` : `change its type from ${from} to ${to}`;
    throw new UnsupportedChangeError(
      `${describe(id)} cannot ${change} while it is part of the partition key of ${describe(table)}.`,
    );
  }
}

/** The table, or the one below it, that is partitioned by a column. */
function partitionedBy(column: string, table: StableId, live: FactBase): StableId | undefined {
  if (wordsIn(text(live.get(table), "partitionKey")).has(column)) return table;
  const below = live.incomingEdges(table).flatMap(({ from }) => (parentOf(from, live) === undefined ? [] : [from]));
  return below.map((part) => partitionedBy(column, part, live)).find((found) => found !== undefined);
}

const MOST_NAMED = 5;

/** The objects that statements are about, in the order of their names. */
function namedIn(sql: string, live: FactBase, desired: FactBase): string {
  const isNamed = (id: StableId): boolean =>
    "schema" in id && "name" in id && sql.includes(`${quoteIdent(String(id.schema))}.${quoteIdent(id.name)}`);
  const ids = [live, desired].flatMap((side) => side.facts().map(({ id }) => id));
  const names = [...new Set(ids.filter((id) => isTopLevel(id) && isNamed(id)).map(describe))].sort();
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : "";
  return names.length === 0 ? "some objects" : names.slice(0, MOST_NAMED).join(", ") + more;
}
