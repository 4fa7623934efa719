/**
 * When a plan says the owner of a sequence that belongs to a column: the server keeps it the same as the
 * table's, changes it along with that, and refuses to change it alone.
 */
import { encodeId, type FactBase, type StableId } from "../catalog/pgDelta.ts";

interface OwnerStatement {
  sql: string;
  id: StableId | undefined;
}

const CHANGES_OWNER = /^ALTER (?:TABLE|SEQUENCE) .+ OWNER TO "/s;
const LINKS = /^ALTER SEQUENCE .+ OWNED BY /s;

/**
 * Statements in which a sequence has its owner before it is linked to a column of a table that keeps its own,
 * and leaves it to the table otherwise.
 */
export function withSequenceOwners<T extends OwnerStatement>(
  statements: readonly T[],
  live: FactBase,
  desired: FactBase,
): T[] {
  const ownerOf = new Map(
    statements.flatMap((statement) =>
      statement.id !== undefined && CHANGES_OWNER.test(statement.sql) ? [[encodeId(statement.id), statement]] : [],
    ),
  );
  const early = new Map<string, T>();
  const left = new Set<T>();
  for (const [key, statement] of ownerOf) {
    const table = statement.id?.kind === "sequence" ? tableOwning(statement.id, desired) : undefined;
    if (table === undefined || statement.id === undefined) continue;
    left.add(statement);
    const isLinked = tableOwning(statement.id, live) !== undefined;
    if (!isLinked && !ownerOf.has(encodeId(table))) early.set(key, statement);
  }
  return statements.flatMap((statement) => {
    if (left.has(statement)) return [];
    const owner = statement.id && LINKS.test(statement.sql) ? early.get(encodeId(statement.id)) : undefined;
    return owner === undefined ? [statement] : [owner, statement];
  });
}

function tableOwning(sequence: StableId, facts: FactBase): StableId | undefined {
  const ownedBy = facts.get(sequence)?.payload.ownedBy;
  if (typeof ownedBy !== "object" || ownedBy === null || !("schema" in ownedBy && "table" in ownedBy)) return undefined;
  const { schema, table } = ownedBy;
  return typeof schema === "string" && typeof table === "string" ? { kind: "table", schema, name: table } : undefined;
}
