/** What the rows of tables before and after a run say of it. Counting is left to `countRows.ts`. */
import type { TableCount } from "./countRows.ts";
import type { CheckResult, Status } from "./report.ts";
import { type RunWrites, tableKey } from "./runWrites.ts";

/** Tables that are, were, or have become parts of one another: their rows are compared together. */
interface Group {
  before: TableCount[];
  after: TableCount[];
}

const NAME = "rows";

/**
 * One answer for all tables that are as they should be, and one for each other.
 *
 * @param hasOtherWriters whether others may have written during the run: a difference is then no fault.
 */
export function compareRows(
  before: readonly TableCount[],
  after: readonly TableCount[],
  writes: RunWrites,
  hasOtherWriters: boolean,
): CheckResult[] {
  const results: CheckResult[] = [];
  let equal = 0;
  let rows = 0n;
  const toldApart: string[] = [];
  for (const group of groupsOf(before, after)) {
    if (group.before.length === 0) continue;
    const { result, note, isCounted } = judge(group, writes, hasOtherWriters ? "WARNING" : "FAIL");
    if (result !== undefined) results.push(result);
    if (note !== undefined) toldApart.push(note);
    if (result === undefined && isCounted) {
      equal += 1;
      rows += total(group.after) ?? 0n;
    }
  }
  const apart = toldApart.length === 0 ? "" : `; by this run: ${toldApart.join(", ")}`;
  const summary: CheckResult = {
    name: NAME,
    status: "PASS",
    measured: `${equal} tables with ${rows} rows are as they were${apart}`,
    expected: "each table that was there keeps its rows, but for what this run writes",
  };
  return [summary, ...results];
}

interface Judged {
  result?: CheckResult;
  /** What this run did to the rows. */
  note?: string;
  /** Whether the rows are as they were. */
  isCounted: boolean;
}

function judge(group: Group, writes: RunWrites, difference: Status): Judged {
  const { before, after } = group;
  const name = nameOf(after[0] ?? before[0]);
  const keys = keysOf(group);
  const changes = new Set(keys.flatMap((key) => writes.tables.get(key) ?? []));
  const delta = keys.map((key) => writes.rows.get(key) ?? 0).reduce((sum, more) => sum + more, 0);
  const isWritten = keys.some((key) => writes.rows.has(key));
  const answer = (status: Status, measured: string, expected: string): Judged => ({
    result: { name: `${NAME} ${name}`, status, measured, expected },
    isCounted: false,
  });

  if (after.length === 0) {
    if (changes.has("dropped")) return { note: `${name} dropped`, isCounted: false };
    return answer("FAIL", "the table is gone", "a table that this run does not drop");
  }
  const [from, to] = [total(before), total(after)];
  if (from === undefined || to === undefined)
    return answer("WARNING", "not counted, for want of time or privileges", "rows counted before and after");
  const due = from + BigInt(delta);
  if (to !== due) {
    if (changes.has("moved") || changes.has("dropped"))
      return { note: `${name} from ${from} to ${to} rows`, isCounted: false };
    const written = delta === 0 ? "" : `, of which this run ${delta > 0 ? "added" : "deleted"} ${Math.abs(delta)}`;
    return answer(difference, `${to} rows, before ${from} (${signed(to - from)})${written}`, `${due} rows`);
  }
  if (isWritten || changes.size > 0) {
    const what = isWritten ? `${signed(BigInt(delta))} rows` : [...changes].join(", ");
    return { note: `${name} ${what}`, isCounted: true };
  }
  const [first, last] = [before[0]?.checksum, after[0]?.checksum];
  const isComparable = before.length === 1 && after.length === 1 && first !== undefined && last !== undefined;
  if (isComparable && before[0]?.oid === after[0]?.oid && first !== last)
    return answer(difference, `${to} rows as before, with other values`, "the same values");
  return { isCounted: true };
}

const signed = (n: bigint): string => (n < 0n ? String(n) : `+${n}`);

const nameOf = (table: TableCount | undefined): string => (table === undefined ? "" : `${table.schema}.${table.name}`);

function keysOf({ before, after }: Group): string[] {
  const tables = [...before, ...after].flatMap((table) => [table, ...table.partitions]);
  return [...new Set(tables.map(({ schema, name }) => tableKey(schema, name)))];
}

function total(tables: readonly TableCount[]): bigint | undefined {
  return tables.reduce<bigint | undefined>(
    (sum, { rows }) => (sum === undefined || rows === undefined ? undefined : sum + rows),
    0n,
  );
}

/** Tables with a common part, or, where there is none, of a common name. */
function groupsOf(before: readonly TableCount[], after: readonly TableCount[]): Group[] {
  const groups: Group[] = [];
  const parts = (table: TableCount): string[] => [table.oid, ...table.partitions.map(({ oid }) => oid)];
  const isKnown = new Set(before.flatMap(parts));
  const add = (table: TableCount, side: keyof Group): void => {
    const own = new Set(parts(table));
    const hasPart = after.some((other) => parts(other).some((oid) => own.has(oid)));
    const joined = groups.filter((group) =>
      [...group.before, ...group.after].some(
        (other) =>
          parts(other).some((oid) => own.has(oid)) ||
          // One that was made again has its name and nothing else of it.
          (side === "after" && !parts(table).some((oid) => isKnown.has(oid)) && nameOf(other) === nameOf(table)),
      ),
    );
    const group: Group = { before: joined.flatMap((each) => each.before), after: joined.flatMap((each) => each.after) };
    for (const each of joined) groups.splice(groups.indexOf(each), 1);
    group[side].push(table);
    if (side === "before" || hasPart) groups.push(group);
  };
  for (const table of before) add(table, "before");
  for (const table of after) add(table, "after");
  return groups;
}
