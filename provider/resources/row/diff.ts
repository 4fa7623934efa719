/**
 * What changed in the inputs of a row, and when that makes it another row. Drift is found by `read.ts` and
 * only added here.
 */
import type { DiffKind, DiffResult, Value } from "../../core/resourceType.ts";
import { equalValues, propertyPath } from "../../core/values.ts";
import { identityIsUnknown, type RowInputs } from "./inputs.ts";

type Detailed = DiffResult["detailed"];

/**
 * What changed in the inputs. Initial values take no part: they are written at the creation only. A change of
 * table or key replaces the row.
 */
export function inputDifference(olds: RowInputs, news: RowInputs): Detailed {
  const detailed: Detailed = {};
  const note = (path: string, kind: DiffKind): void => {
    detailed[path] = { kind, inputDiff: true };
  };
  if (!news.table || news.tableText !== olds.tableText) note("table", "update-replace");
  if (news.unknown.has("key")) note("key", "update-replace");
  // A number and its text identify the same row; an imported key is all text.
  else mapDifference("key", textOf(olds.key), textOf(news.key), (path, kind) => note(path, `${kind}-replace`));
  for (const property of ["values", "secretValues", "compareWith", "accepts"] as const) {
    if (news.unknown.has(property)) note(property, "update");
    else mapDifference(property, olds[property], news[property], note);
  }
  if (news.unknown.has("returning") || !equalValues(olds.returning, news.returning)) note("returning", "update");
  return detailed;
}

/** True when the new inputs mean another row, or may do so. */
export function isReplacement(detailed: Detailed, news: RowInputs): boolean {
  return identityIsUnknown(news) || Object.values(detailed).some(({ kind }) => kind.endsWith("-replace"));
}

/** Adds what the database holds otherwise than desired, under the paths of the inputs. */
export function withDrift(detailed: Detailed, paths: readonly string[], kind: "add" | "update"): Detailed {
  const all: Detailed = { ...detailed };
  for (const path of paths) all[path] ??= { kind, inputDiff: false };
  return all;
}

function mapDifference(
  property: string,
  olds: ReadonlyMap<string, Value>,
  news: ReadonlyMap<string, Value>,
  note: (path: string, kind: "add" | "delete" | "update") => void,
): void {
  for (const name of new Set([...olds.keys(), ...news.keys()])) {
    const path = propertyPath(property, name);
    const before = olds.get(name);
    const after = news.get(name);
    if (before === undefined) note(path, "add");
    else if (after === undefined) note(path, "delete");
    else if (!equalValues(before, after)) note(path, "update");
  }
}

function textOf(key: ReadonlyMap<string, Value>): Map<string, Value> {
  return new Map(
    [...key].map(([name, value]) => [
      name,
      typeof value === "number" || typeof value === "boolean" ? String(value) : value,
    ]),
  );
}
