/** What changes in the inputs of a set of rows. What differs in the database is found in `compare.ts`. */
import type { DiffResult } from "../../core/resourceType.ts";
import { equalValues } from "../../core/values.ts";
import type { RowsInputs } from "./inputs.ts";

type Detailed = DiffResult["detailed"];

/** The input that has the rows. */
export const dataPath = ({ file, unknown }: RowsInputs): "file" | "rows" =>
  file !== undefined || unknown.has("file") ? "file" : "rows";

/**
 * What changed in the inputs. Another table replaces the set; another key does not: the rows are the same,
 * and a replacement would delete what it has just adopted.
 */
export function inputDifference(olds: RowsInputs, news: RowsInputs): Detailed {
  const detailed: Detailed = {};
  const note = (path: string, isDifferent: boolean, kind: "update" | "update-replace" = "update"): void => {
    if (isDifferent || news.unknown.has(path)) detailed[path] = { kind, inputDiff: true };
  };
  note("table", news.tableText !== olds.tableText, "update-replace");
  for (const name of ["key", "secretColumns", "initialColumns"] as const)
    note(name, !equalValues(olds[name], news[name]));
  note("compareWith", !equalValues(Object.fromEntries(olds.compareWith), Object.fromEntries(news.compareWith)));
  for (const name of ["file", "nullText", "exclusive"] as const) note(name, olds[name] !== news[name]);
  note("rows", !equalValues(olds.rows ?? null, news.rows ?? null));
  return detailed;
}

/** True when the new inputs mean another table, or may do so. */
export const isReplacement = (detailed: Detailed): boolean =>
  Object.values(detailed).some(({ kind }) => kind.endsWith("-replace"));
