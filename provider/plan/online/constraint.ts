/** Constraints that are validated after they hold, or stand on an index that was built beforehand. */
import { isPartitioned } from "../../catalog/partitions.ts";
import { encodeId, type StableId } from "../../catalog/pgDelta.ts";
import { quoteIdent, quoteQualified } from "../../catalog/quote.ts";
import { tableOf, text } from "../../catalog/tables.ts";
import { keyForm } from "../keyFromIndex.ts";
import type { Statement } from "../statement.ts";
import { dropConcurrently, undoBuild } from "./indexes.ts";
import { asId, brief, type IndexId, type OnlineContext, type Recipe, type SubId, standalone, step } from "./recipe.ts";

export function addConstraint(
  statement: Statement,
  id: SubId & StableId,
  { desired, live, invalidIndexes, majorVersion }: OnlineContext,
): Recipe | undefined {
  const fact = desired.get(id);
  const table = quoteQualified(id.schema, id.table);
  const name = quoteIdent(id.name);
  const def = text(fact, "def");
  switch (text(fact, "type")) {
    case "c":
    case "f":
      if (text(fact, "type") === "f" && isPartitioned(tableOf(id), live) && majorVersion < 18) return undefined; // the server refuses NOT VALID there
      if (fact?.payload.validated === false || / NOT VALID$/.test(def)) return undefined;
      return {
        soon: [step(statement, `${statement.sql} NOT VALID`, { work: "catalog" })],
        later: [
          step(statement, `ALTER TABLE ${table} VALIDATE CONSTRAINT ${name}`, {
            ...standalone,
            op: "update",
            undo: { sql: `ALTER TABLE ${table} DROP CONSTRAINT IF EXISTS ${name}`, steps: 1 },
          }),
        ],
      };
    case "u":
    case "p":
      return isPartitioned(tableOf(id), live) ? undefined : addUnique(statement, id, def, { live, invalidIndexes });
    default:
      return undefined;
  }
}

/** Undefined for forms that an index cannot be built for beforehand. */
function addUnique(
  statement: Statement,
  id: SubId & StableId,
  def: string,
  { live, invalidIndexes }: Pick<OnlineContext, "live" | "invalidIndexes">,
): Recipe | undefined {
  const form = keyForm(def);
  if (form === undefined) return undefined;
  // The server makes the columns of a primary key NOT NULL: a recipe for that has its turn before.
  if (statement.sql.includes(` ADD CONSTRAINT ${quoteIdent(id.name)} ${form.kind} USING INDEX `))
    return form.kind === "PRIMARY KEY" ? { soon: [], later: [statement] } : undefined;
  const { kind, nulls, columns, include, deferrable } = form;
  const table = quoteQualified(id.schema, id.table);
  const index: IndexId = { schema: id.schema, name: id.name };
  const leftOver = invalidIndexes.has(encodeId(asId(index))) || live.has(asId(index));
  return {
    soon: [],
    later: [
      ...(leftOver ? [dropConcurrently(statement, index)] : []),
      step(
        statement,
        `CREATE UNIQUE INDEX CONCURRENTLY ${quoteIdent(id.name)} ON ${table} ${columns}${include}${nulls}`,
        { ...standalone, undo: undoBuild(index) },
      ),
      step(
        statement,
        `ALTER TABLE ${table} ADD CONSTRAINT ${quoteIdent(id.name)} ${kind} USING INDEX ${quoteIdent(id.name)}${deferrable}`,
        brief,
      ),
    ],
  };
}
