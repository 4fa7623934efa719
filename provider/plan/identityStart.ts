/** Sequences of columns that existed before: they start after the values that the column holds. */
import { identityOf, type SequenceId } from "../catalog/identity.ts";
import { describe, ownerObject } from "../catalog/objectNames.ts";
import { encodeId, type FactBase, parseId } from "../catalog/pgDelta.ts";
import { quoteIdent, quoteLiteral, quoteQualified } from "../catalog/quote.ts";
import { type ColumnId, text } from "../catalog/tables.ts";
import { columnChange } from "./columnSteps.ts";
import type { Statement } from "./statement.ts";

/** Types of columns whose values a sequence can follow. */
const NUMBERS = new Set(["smallint", "integer", "bigint"]);

export function withStartBehindRows(statements: readonly Statement[], live: FactBase, desired: FactBase): Statement[] {
  const made = new Set(statements.flatMap(({ op, id }) => (op === "create" && id ? [encodeId(id)] : [])));
  return statements.flatMap((statement) => {
    const change = columnChange(statement.sql)?.change ?? "";
    const column = columnOf(statement);
    if (column === undefined || !live.has(column) || !NUMBERS.has(text(desired.get(column), "type")))
      return [statement];
    if (change.startsWith("ADD GENERATED ")) {
      const identity = identityOf(column, desired);
      return identity === undefined
        ? [statement]
        : [statement, behindRows(identity.sequence, identity.isDescending, column)];
    }
    if (!change.startsWith("SET DEFAULT ")) return [statement];
    const sequences = desired
      .outgoingEdges({ ...column, kind: "default" })
      .flatMap(({ to }) => (to.kind === "sequence" && made.has(encodeId(to)) ? [{ ...to, kind: to.kind }] : []));
    return [
      statement,
      ...sequences.map((id) => behindRows(id, text(desired.get(id), "increment").startsWith("-"), column)),
    ];
  });
}

function columnOf({ id, consumes }: Statement): ColumnId | undefined {
  for (const part of [...(id === undefined ? [] : [id]), ...consumes.map(parseId)])
    if (part.kind === "column" || part.kind === "default")
      return { kind: "column", schema: part.schema, table: part.table, name: part.name };
  return undefined;
}

/** Where no value lies beyond the sequence's place, that stays: it may start where its definition says. */
function behindRows(sequence: SequenceId, isDescending: boolean, column: ColumnId): Statement {
  const name = quoteQualified(sequence.schema, sequence.name);
  const last = `pg_catalog.${isDescending ? "min" : "max"}(${quoteIdent(column.name)})`;
  return {
    sql:
      `SELECT pg_catalog.setval(${quoteLiteral(name)}, ${last}) FROM ${quoteQualified(column.schema, column.table)} ` +
      `HAVING ${last} ${isDescending ? "<=" : ">="} (SELECT last_value FROM ${name})`,
    op: "update",
    object: describe(ownerObject(column)),
    id: sequence,
    subject: describe(sequence),
    lock: "none",
    transaction: "shared",
    work: "rows",
    drops: [],
    rewrites: false,
    destructive: false,
    consumes: [encodeId(sequence), encodeId(column)],
  };
}
