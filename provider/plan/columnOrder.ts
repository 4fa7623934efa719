/**
 * New tables with their columns in the order of the files. The planner makes a table as early as it can, and
 * adds at the end whatever column stands on something that comes later, such as an enum: `SELECT *`, `COPY`
 * and a view with a list of aliases would see other columns.
 */
import { describe, ownerObject } from "../catalog/objectNames.ts";
import { type Action, encodeId, type Fact, type FactBase, type StableId } from "../catalog/pgDelta.ts";
import { UserError } from "../core/errors.ts";
import { sqlTokens } from "./renames/sqlTokens.ts";

const ADD_COLUMN = " ADD COLUMN ";

/** @param desired the facts that the actions lead to. */
export function withColumnsInOrder(actions: readonly Action[], desired: FactBase): Action[] {
  let ordered = [...actions];
  for (const create of actions) {
    const table = create.produces[0];
    if (create.verb !== "create" || table?.kind !== "table" || !create.sql.startsWith("CREATE TABLE ")) continue;
    const key = encodeId(table);
    const additions = ordered.filter((action) => isAddition(action, key));
    if (additions.length > 0) ordered = withWholeTable(ordered, { create, key, additions }, desired);
  }
  return ordered;
}

/** Adds a column to a table, and does nothing else. */
function isAddition({ verb, produces, sql }: Action, table: string): boolean {
  const [id] = produces;
  return verb === "create" && id?.kind === "column" && sql.includes(ADD_COLUMN) && encodeId(ownerObject(id)) === table;
}

interface NewTable {
  create: Action;
  key: string;
  additions: readonly Action[];
}

/**
 * The table is made where its last column was added, and what stands on it after that. As it was, where a
 * column stands on the table itself.
 */
function withWholeTable(actions: readonly Action[], { create, key, additions }: NewTable, desired: FactBase): Action[] {
  const end = Math.max(...additions.map((action) => actions.indexOf(action)));
  const start = actions.indexOf(create);
  const waiting = new Set([key]);
  const [before, after]: [Action[], Action[]] = [[], []];
  for (const action of actions.slice(start + 1, end + 1)) {
    if (additions.includes(action)) continue;
    const waits = needsOf(action, desired).some((id) => waiting.has(id));
    if (waits) for (const id of action.produces) waiting.add(encodeId(ownerObject(id)));
    (waits ? after : before).push(action);
  }
  waiting.delete(key);
  if (additions.some((action) => needsOf(action, desired).some((id) => waiting.has(id)))) return [...actions];
  const sql = tableWith(create, additions, desired);
  if (sql === undefined) return [...actions];
  const all = [create, ...additions];
  const whole: Action = {
    ...create,
    sql,
    produces: all.flatMap(({ produces }) => produces),
    consumes: all.flatMap(({ consumes }) => consumes),
  };
  return [...actions.slice(0, start), ...before, whole, ...after, ...actions.slice(end + 1)];
}

/** Objects that have to be there before an action, as encoded ids. */
function needsOf({ produces, consumes }: Action, desired: FactBase): string[] {
  const targets = produces.flatMap((id): StableId[] => {
    const parent = desired.get(id)?.parent;
    const depends = desired.outgoingEdges(id).flatMap(({ kind, to }) => (kind === "depends" ? [to] : []));
    return parent === undefined ? depends : [parent, ...depends];
  });
  return [...consumes, ...targets].map((id) => encodeId(ownerObject(id)));
}

/** The statement with the added columns at their places; undefined when it is not of the expected form. */
function tableWith(create: Action, additions: readonly Action[], desired: FactBase): string | undefined {
  const list = listOf(create.sql);
  if (list === undefined) return undefined;
  const positions = new Map<string, number>();
  const place = (id: StableId | undefined): number => {
    const position = id === undefined ? undefined : desired.get(id)?.payload._position;
    return typeof position === "number" ? position : Number.POSITIVE_INFINITY;
  };
  const columns = create.produces.filter(({ kind }) => kind === "column");
  const [inline, rest] = [list.items.slice(0, columns.length), list.items.slice(columns.length)];
  for (const [n, item] of inline.entries()) positions.set(item, place(columns[n]));
  for (const { sql, produces } of additions)
    positions.set(sql.slice(sql.indexOf(ADD_COLUMN) + ADD_COLUMN.length), place(produces[0]));
  const sorted = [...positions].sort(([, a], [, b]) => a - b).map(([item]) => item);
  return create.sql.slice(0, list.start) + [...sorted, ...rest].join(", ") + create.sql.slice(list.end);
}

/** What stands between the first pair of brackets, in its parts. */
function listOf(sql: string): { start: number; end: number; items: string[] } | undefined {
  const items: string[] = [];
  let depth = 0;
  let start = 0;
  let from = 0;
  for (const { kind, text, start: at } of sqlTokens(sql)) {
    if (kind !== "symbol") continue;
    if (text === "(" && ++depth === 1) start = from = at + 1;
    const isEnd = text === ")" && --depth === 0;
    if (isEnd || (text === "," && depth === 1)) {
      items.push(sql.slice(from, at).trim());
      from = at + 1;
    }
    if (isEnd) return { start, end: at, items: items.filter((item) => item !== "") };
  }
  return undefined;
}

/**
 * A print names a table's columns by their places where it has a list of aliases, `FROM app.t q(a, b)`, and
 * the places are those of the files. A table that is there already gets new columns at its end.
 *
 * @throws {UserError} for a statement with such a list for a table whose columns stand in another order.
 */
export function refuseAliasesByPlace(
  statements: readonly { sql: string; subject: string }[],
  live: FactBase,
  desired: FactBase,
): void {
  const others = desired.facts().flatMap(({ id }) => {
    if (id.kind !== "table" || !live.has(id)) return [];
    const [actual, declared] = [columnsAfter(id, live, desired), columnsOf(id, desired)];
    return actual.join() === declared.join() ? [] : [{ id, actual, declared }];
  });
  for (const { id, actual, declared } of others) {
    const aliases = new RegExp(`${printed(id.schema)}\\.${printed(id.name)} (?:"(?:[^"]|"")+"|\\w+)\\(`);
    const found = statements.find(({ sql }) => aliases.test(sql));
    if (found === undefined) continue;
    throw new UserError(
      "PS112",
      `Found a list of aliases for the columns of ${describe(id)} in ${found.subject}, which names them by position. In the files their order is ${declared.join(", ")}; ` +
        `in the database, where new columns come last, ${actual.join(", ")}. Expected the same order, or no list of aliases: declare the new columns last, or name the columns in the query. Nothing was changed.`,
    );
  }
}

const place = ({ payload: { _position } }: Fact): number => (typeof _position === "number" ? _position : 0);

/** Names of a table's columns by their places, declared or undeclared. */
function columnsOf(table: StableId, facts: FactBase): string[] {
  const columns = facts.childrenOf(table).filter(({ id }) => id.kind === "column");
  return columns.sort((a, b) => place(a) - place(b)).flatMap(({ id }) => ("name" in id ? [id.name] : []));
}

function columnsAfter(table: StableId, live: FactBase, desired: FactBase): string[] {
  const declared = columnsOf(table, desired);
  const kept = columnsOf(table, live).filter((name) => declared.includes(name));
  return [...kept, ...declared.filter((name) => !kept.includes(name))];
}

/** A pattern for a name as the server prints it, in quotes where it must be. */
const printed = (name: string): string => `"?${name.replaceAll('"', '""').replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}"?`;
