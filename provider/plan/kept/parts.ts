/** Which facts go along with tables that move to another schema, and the statements that move them. */
import { describe } from "../../catalog/objectNames.ts";
import { encodeId, type Fact, type FactBase, type StableId } from "../../catalog/pgDelta.ts";
import { quoteIdent, quoteQualified } from "../../catalog/quote.ts";
import { tableOf } from "../../catalog/tables.ts";
import { ownedTable } from "../renames/renames.ts";
import type { Statement } from "../statement.ts";

/** Kinds that a table may need, and that move to another schema by a statement of their own. */
const MOVABLE: Partial<Record<StableId["kind"], string>> = {
  function: "FUNCTION",
  procedure: "PROCEDURE",
  table: "TABLE",
  sequence: "SEQUENCE",
  domain: "DOMAIN",
  type: "TYPE",
  collation: "COLLATION",
};

/** Functions come first, while the types of their arguments have the names by which they are called. */
const ORDER = Object.keys(MOVABLE);

export const isMovable = ({ kind }: StableId): boolean => kind in MOVABLE;

/** Encoded ids of objects with all that is below them, or goes along with them, such as a sequence. */
export function withParts(objects: readonly StableId[], facts: FactBase): Set<string> {
  const keys = new Set(objects.map(encodeId));
  const isPart = (fact: Fact): boolean => {
    if (keys.has(encodeId(fact.id))) return true;
    const table = tableOf(fact.id, facts) ?? ownedTable(fact);
    if (table !== undefined && keys.has(encodeId(table))) return true;
    const above = fact.parent === undefined ? undefined : facts.get(fact.parent);
    return above !== undefined && isPart(above);
  };
  return new Set(
    facts
      .facts()
      .filter(isPart)
      .map(({ id }) => encodeId(id)),
  );
}

/** A statement of ours, in the words of a plan. */
export function statementOn(
  id: StableId,
  sql: string,
  { subject = describe(id), ...rest }: Partial<Pick<Statement, "subject" | "op" | "renames" | "keeps" | "lock">> = {},
): Statement {
  const table = tableOf(id);
  return {
    sql,
    op: "update",
    object: describe(table ?? id),
    id,
    subject,
    lock: table === undefined ? "none" : "ACCESS EXCLUSIVE",
    transaction: "shared",
    work: "catalog",
    drops: [],
    rewrites: false,
    destructive: false,
    consumes: [],
    ...rest,
  };
}

type Move = Extract<StableId, { schema: string; name: string }>;

const isMove = (id: StableId): id is Move => isMovable(id) && "schema" in id && "name" in id;

/** `ALTER … SET SCHEMA` of each object, with what the statement is to say. */
export function moves(
  objects: readonly StableId[],
  schema: string,
  statement: (id: StableId, sql: string) => Statement,
): Statement[] {
  return objects
    .filter(isMove)
    .sort((one, other) => ORDER.indexOf(one.kind) - ORDER.indexOf(other.kind))
    .map((id) => {
      const args = "args" in id ? `(${id.args.join(", ")})` : "";
      const name = `${quoteQualified(id.schema, id.name)}${args}`;
      return statement(id, `ALTER ${MOVABLE[id.kind]} ${name} SET SCHEMA ${quoteIdent(schema)}`);
    });
}

/** The object that something is a part of, or that itself. */
export function wholeObject(id: StableId, facts: FactBase): StableId {
  const parent = facts.get(id)?.parent;
  return parent === undefined || parent.kind === "schema" ? id : wholeObject(parent, facts);
}
