// What is said of the changes of a set: lines of a preview, a summary, what has drifted. Keys and names of
// columns only, no values.
import type { PlannedChange } from "../../core/resourceType.ts";
import type { Changes, NamedRow } from "./compare.ts";
import type { RowsInputs } from "./inputs.ts";

/** Keys in the name of a line; its details have more. */
const IN_LINE = 3;

const number = (value: number): string => value.toLocaleString("en-US");

/** `1 row`, `10,000 rows`. */
export const counted = (rows: number): string => (rows === 1 ? "1 row" : `${number(rows)} rows`);

/** `+120 ~3 −0 of 10,000 rows`. */
export function summaryOf({ added, changed, deleted, count, unknownKeys }: Changes): string {
  const open = unknownKeys === 0 ? "" : `, ${number(unknownKeys)} with a key that is not known yet`;
  return `+${number(added)} ~${number(changed)} −${number(deleted)} of ${counted(count)}${open}`;
}

/** One line for each kind of change. */
export function plannedChanges(changes: Changes, { tableText }: RowsInputs): PlannedChange[] {
  const { first, count, changed, deleted } = changes;
  const added = changes.added + changes.unknownKeys;
  const line = (op: PlannedChange["op"], what: string, rows: number, named: readonly NamedRow[]): PlannedChange[] => {
    if (rows === 0) return [];
    const columns = Object.fromEntries(named.map(({ key, columns }) => [key, columns.join(", ")]));
    const details = op === "update" ? { columns } : { rows: named.map(({ key }) => key) };
    return [
      {
        name: `${what}${firstKeys(named, rows)}`,
        op,
        details: { table: tableText, count: rows, ...details },
      },
    ];
  };
  return [
    ...line("create", `insert ${number(added)} of ${counted(count)} into ${tableText}`, added, first.added),
    ...line("update", `update ${number(changed)} of ${counted(count)} of ${tableText}`, changed, first.changed),
    ...line("delete", `delete ${counted(deleted)} of ${tableText} not in the set`, deleted, first.deleted),
  ];
}

function firstKeys(named: readonly NamedRow[], count: number): string {
  if (named.length === 0) return "";
  const keys = named.slice(0, IN_LINE).map(({ key }) => key);
  return `: ${keys.join(", ")}${count > keys.length ? ", …" : ""}`;
}

/** A line for each of the first rows that are not as the set says, and the number of the others. */
export function driftOf({ first, added, changed, deleted }: Changes): string[] {
  const lines = [
    ...first.changed.map(({ key, columns }) => `${key}: ${columns.join(", ")}`),
    ...first.added.map(({ key }) => `${key}: missing`),
    ...first.deleted.map(({ key }) => `${key}: not in the set`),
  ];
  const more = added + changed + deleted - lines.length;
  return more === 0 ? lines : [...lines, `${number(more)} more`];
}
