/**
 * In which order the statements of a database are written, so that `psql` could run them: each stays where a
 * reader looks for it, and one that needs a later one follows that.
 */
import { ownerObject } from "../catalog/objectNames.ts";
import { encodeId, type FactBase, parseId, type StableId } from "../catalog/pgDelta.ts";
import { sqlTokens } from "../plan/renames/sqlTokens.ts";
import type { Statement } from "../plan/statement.ts";

/** A statement with the file that it belongs to. */
export interface Placed {
  statement: Statement;
  file: string;
}

/**
 * @param placed in the order in which a reader expects them.
 * @returns the same; what waited for another one is in that one's file.
 */
export function inRunnableOrder(placed: readonly Placed[], facts: FactBase): Placed[] {
  const needs = needsOf(
    placed.map(({ statement }) => statement),
    facts,
  );
  const unmet = needs.map((needed) => new Set(needed));
  const users = needs.map((): number[] => []);
  for (const [n, needed] of needs.entries()) for (const other of needed) users[other]?.push(n);
  const result: Placed[] = [];
  const waiting = new Set<number>();
  const place = (n: number, file: string): void => {
    const here = placed[n];
    if (here === undefined) return;
    result.push({ ...here, file });
    waiting.delete(n);
    for (const user of users[n] ?? []) {
      unmet[user]?.delete(n);
      if (waiting.has(user) && unmet[user]?.size === 0) place(user, file);
    }
  };
  for (const [n, { file }] of placed.entries()) {
    if (unmet[n]?.size === 0) place(n, file);
    else waiting.add(n);
  }
  // Only bodies of functions are left that name what needs them, directly or not, or that name one another.
  while (waiting.size > 0) {
    const isBody = (n: number): boolean => wordsOfBody(placed[n]?.statement).length > 0;
    const [first] = [...waiting].sort((a, b) => Number(isBody(b)) - Number(isBody(a)) || a - b);
    const here = first === undefined ? undefined : placed[first];
    if (first === undefined || here === undefined) break;
    const user = users[first]?.find((n) => waiting.has(n) && !isBody(n));
    const file = (user === undefined ? undefined : placed[user]?.file) ?? here.file;
    const setting = (sql: string): Placed => ({ statement: { ...here.statement, op: "update", sql }, file });
    if (isBody(first)) result.push(setting("SET check_function_bodies = off"));
    const at = result.length + 1;
    place(first, file);
    if (isBody(first)) result.splice(at, 0, setting("RESET check_function_bodies"));
  }
  return result;
}

/** By position: the positions of the statements that have to run before it. */
export function needsOf(statements: readonly Statement[], facts: FactBase): Set<number>[] {
  const makers = makersOf(statements);
  const makerOf = (key: string): number | undefined => {
    for (let at: string | undefined = key; at !== undefined; ) {
      const maker = makers.get(at);
      if (maker !== undefined) return maker;
      const parent: StableId | undefined = facts.getByEncoded(at)?.parent;
      at = parent === undefined ? undefined : encodeId(parent);
    }
    return undefined;
  };
  const edges = new Map<number, string[]>();
  for (const { from, to } of facts.edges) {
    // A sequence is made before the table that counts with it, and belongs to its column by a later
    // statement.
    if (from.kind === "sequence" && to.kind === "column") continue;
    const maker = makerOf(encodeId(from));
    // Members of an extension have no maker of their own, and their schema does not need what they need.
    const isOther = maker !== undefined && statements[maker]?.id?.kind === "schema" && from.kind !== "schema";
    if (maker !== undefined && !isOther) edges.set(maker, [...(edges.get(maker) ?? []), encodeId(to)]);
  }
  const names = namesOf(makers);
  const grants = grantsOf(statements);
  const last = new Map<string, number>();
  return statements.map((statement, n) => {
    const needed = new Set<number>();
    const { id } = statement;
    for (const key of [...statement.consumes, ...(id === undefined ? [] : [encodeId(id)]), ...(edges.get(n) ?? [])]) {
      const maker = makerOf(key);
      if (maker !== undefined) needed.add(maker);
    }
    if (id?.kind === "materializedView" && isCreate(statement))
      for (const key of readByOthers(id, facts)) for (const grant of grants.get(key) ?? []) needed.add(grant);
    for (const word of wordsOfBody(statement)) for (const maker of names.get(word) ?? []) needed.add(maker);
    if (id !== undefined) {
      const before = last.get(encodeId(id));
      if (before !== undefined) needed.add(before);
      last.set(encodeId(id), n);
    }
    needed.delete(n);
    return needed;
  });
}

/** By encoded id: the statement that makes it, and not one that completes it. */
export function makersOf(statements: readonly Statement[]): Map<string, number> {
  const makers = new Map<string, number>();
  for (const isWanted of [isCreate, () => true])
    for (const [n, statement] of statements.entries()) {
      const { op, id } = statement;
      if (op === "create" && id !== undefined && isWanted(statement) && !makers.has(encodeId(id)))
        makers.set(encodeId(id), n);
    }
  return makers;
}

export const isCreate = ({ sql }: Statement): boolean => sql.startsWith("CREATE ");

/** By encoded id of an object: the statements that give privileges on it. */
function grantsOf(statements: readonly Statement[]): Map<string, number[]> {
  const grants = new Map<string, number[]>();
  for (const [n, { sql, id }] of statements.entries()) {
    if (!sql.startsWith("GRANT ") || id === undefined) continue;
    const key = encodeId(ownerObject(id));
    grants.set(key, [...(grants.get(key) ?? []), n]);
  }
  return grants;
}

/**
 * What a materialized view reads with the rights of another owner: all that it stands on, where that names
 * one.
 */
function readByOthers(id: StableId, facts: FactBase): string[] {
  const reached = new Set<string>();
  const open: StableId[] = [id];
  let isOthers = false;
  for (let next = open.pop(); next !== undefined; next = open.pop())
    for (const { to, kind } of facts.outgoingEdges(next)) {
      if (kind === "owner") isOthers ||= next !== id;
      const object = ownerObject(to);
      if (kind === "owner" || reached.has(encodeId(object))) continue;
      reached.add(encodeId(object));
      open.push(object);
    }
  return isOthers ? [...reached] : [];
}

/** Makers of tables, views and functions by bare name. */
function namesOf(makers: ReadonlyMap<string, number>): Map<string, number[]> {
  const names = new Map<string, number[]>();
  for (const [key, maker] of makers) {
    const id = parseId(key);
    if (!["table", "view", "materializedView", "function", "aggregate"].includes(id.kind) || !("name" in id)) continue;
    names.set(id.name, [...(names.get(id.name) ?? []), maker]);
  }
  return names;
}

/** A body in SQL is read when its function is made; the catalog does not keep what it names. */
function wordsOfBody(statement: Statement | undefined): string[] {
  if (statement === undefined) return [];
  const { op, id, sql } = statement;
  if (op !== "create" || (id?.kind !== "function" && id?.kind !== "procedure")) return [];
  const tokens = sqlTokens(sql);
  if (!tokens.some(({ text }, n) => /^language$/i.test(text) && /^sql$/i.test(tokens[n + 1]?.text ?? ""))) return [];
  const bodies = tokens.filter(({ kind, text }) => kind === "text" && text.startsWith("$"));
  return bodies.flatMap(({ text }) => sqlTokens(text.replace(/^\$\w*\$|\$\w*\$$/g, "")).map((token) => token.text));
}
