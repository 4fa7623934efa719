/** The drop of what has been kept until its date. It stays where others have built on it since then. */
import { factsOfKept, type Kept } from "../../catalog/kept.ts";
import { describe, ownerObject } from "../../catalog/objectNames.ts";
import { encodeId, type FactBase, parseId, type StableId } from "../../catalog/pgDelta.ts";
import { revertContribution } from "../../contribution/contribution.ts";
import { planStatements } from "../planStatements.ts";
import type { Statement } from "../statement.ts";

/** Something kept that others depend on. */
interface InUse {
  id: StableId;
  by: StableId[];
}

/** @param whole facts of the database with those of what is kept. */
export function dropExpired(
  { schemas, columns }: Omit<Kept, "whole">,
  whole: FactBase,
): { statements: Statement[]; inUse: InUse[] } {
  const inUse: InUse[] = [];
  const gone = new Set<string>();
  const each = [
    ...schemas.map((schema) => ({
      schemas: [schema],
      columns: [],
      id: { kind: "schema", name: schema.name } as const,
    })),
    ...columns.map((column) => ({ schemas: [], columns: [column], id: column.id })),
  ];
  for (const { id, ...one } of each) {
    const own = factsOfKept(one, whole.facts());
    const by = whole.edges.flatMap(({ kind, from, to }) =>
      kind === "depends" && own.has(encodeId(to)) && !own.has(encodeId(from)) ? [encodeId(ownerObject(from))] : [],
    );
    if (by.length > 0) inUse.push({ id, by: [...new Set(by)].map(parseId) });
    else for (const key of own) gone.add(key);
  }
  if (gone.size === 0) return { statements: [], inUse };
  const rest = revertContribution(whole, { remove: gone, restore: [], reset: [] });
  const statements = planStatements(whole, rest).statements.map((statement): Statement => {
    const subject = statement.id === undefined ? statement.subject : `${describe(statement.id)}, kept until its date`;
    // It was approved when it was dropped.
    return { ...statement, subject, drops: [], destructive: false };
  });
  return { statements, inUse };
}
