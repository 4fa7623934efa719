/** Which sequence belongs to an identity column; its name is in the column's facts only. */
import type { FactBase, StableId } from "./pgDelta.ts";

export type SequenceId = { kind: "sequence"; schema: string; name: string };

/** The sequence of an identity column, which is no fact of its own, and whether it counts down. */
export function identityOf(
  column: StableId,
  facts: FactBase,
): { sequence: SequenceId; isDescending: boolean } | undefined {
  const identity = facts.get(column)?.payload.identity;
  const [schema, name] = ["schema", "name"].map((key) => part(part(identity, "sequence"), key));
  if (typeof schema !== "string" || typeof name !== "string") return undefined;
  const isDescending = String(part(part(identity, "options"), "increment") ?? "").startsWith("-");
  return { sequence: { kind: "sequence", schema, name }, isDescending };
}

function part(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? new Map(Object.entries(value)).get(name) : undefined;
}
