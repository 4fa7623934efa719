/** Which parts of a table are those of its parents, once it is attached to them. */
import { inheritanceOf } from "../../catalog/inheritance.ts";
import type { Fact } from "../../catalog/pgDelta.ts";
import { withName } from "../indexDefinition.ts";

/** Whether a table with parents has from them what a fact says of it while it stands alone. */
export function isTakenByParent({ id, payload }: Fact, table: Fact | undefined): boolean {
  const its = inheritanceOf(table);
  if (its === undefined) return false;
  if (id.kind === "column") return its.columns.some(({ name, isInherited }) => isInherited && name === id.name);
  if (id.kind === "constraint") return its.constraints.some((one) => one.payload.def === payload.def);
  const def = (text: unknown): string => withName(String(text), { name: "" });
  return id.kind === "index" && its.indexes.some((one) => def(one.payload.def) === def(payload.def));
}
