/** Changes of a column's type from or to an enum, which the server casts from and to text alone. */
import type { FactBase, StableId } from "../catalog/pgDelta.ts";
import { quoteIdent } from "../catalog/quote.ts";
import { text } from "../catalog/tables.ts";
import type { Statement } from "./statement.ts";

/** The statement with a cast by way of text, where its column holds an enum, or an array of one, or will. */
export function castByText(statement: Statement, live: FactBase, desired: FactBase): Statement {
  const { id, sql } = statement;
  if (id?.kind !== "column" || !(holdsEnum(id, live) || holdsEnum(id, desired))) return statement;
  const column = quoteIdent(id.name);
  const [from, to] = [text(live.get(id), "type"), text(desired.get(id), "type")];
  const cast = ` USING ${column}::${to}`;
  const isText = to === "text" || to === "text[]";
  if (isText || from === to || !sql.endsWith(cast) || isArray(from) !== isArray(to)) return statement;
  return {
    ...statement,
    sql: `${sql.slice(0, -cast.length)} USING ${column}::pg_catalog.text${isArray(to) ? "[]" : ""}::${to}`,
  };
}

const isArray = (type: string): boolean => type.endsWith("[]");

/** Whether a column's type is an enum, an array of one, or a domain over either. */
function holdsEnum(id: StableId, facts: FactBase): boolean {
  return facts
    .outgoingEdges(id)
    .some(
      ({ to }) =>
        (to.kind === "type" && facts.get(to)?.payload.variant === "enum") ||
        (to.kind === "domain" && holdsEnum(to, facts)),
    );
}
