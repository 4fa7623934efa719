/**
 * Reads the parts of constraints, indexes and partition bounds as the server prints them: key columns,
 * expressions, operators, predicates. Anything that is printed in another way is undefined, never guessed.
 */
import { nameParts, type SqlToken, sqlTokens } from "../renames/sqlTokens.ts";

/** A list in brackets, and the text behind it. */
interface Bracketed {
  items: string[];
  rest: string;
}

const isSymbol = (token: SqlToken | undefined, text: string): boolean =>
  token?.kind === "symbol" && token.text === text;
const isWord = (token: SqlToken | undefined, text: string): boolean =>
  token?.kind === "word" && token.text.toUpperCase() === text;

/** How the depth of brackets changes. */
function step(token: SqlToken): number {
  if (token.kind !== "symbol") return 0;
  return token.text === "(" || token.text === "[" ? 1 : token.text === ")" || token.text === "]" ? -1 : 0;
}

/** The first list in brackets of a text. */
export function bracketed(sql: string): Bracketed | undefined {
  const items: string[] = [];
  let depth = 0;
  let start = 0;
  for (const token of sqlTokens(sql)) {
    const before = depth;
    depth += step(token);
    if (before === 0 && depth === 1) start = token.end;
    const isEnd = before === 1 && depth === 0;
    if (before > 0 && (isEnd || (depth === 1 && before === 1 && isSymbol(token, ",")))) {
      items.push(sql.slice(start, token.start).trim());
      start = token.end;
    }
    if (isEnd) return { items, rest: sql.slice(token.end) };
  }
  return undefined;
}

/** The expression of the first word at the outermost level, in brackets: `WHERE (…)`, `CHECK (…)`. */
export function clause(sql: string, word: string): string | undefined {
  let depth = 0;
  for (const token of sqlTokens(sql)) {
    depth += step(token);
    if (depth === 0 && isWord(token, word)) return bracketed(sql.slice(token.end)) && insideOf(sql.slice(token.end));
  }
  return undefined;
}

/** What stands in the first brackets, commas and all. */
function insideOf(sql: string): string {
  let depth = 0;
  let start = 0;
  for (const token of sqlTokens(sql)) {
    const before = depth;
    depth += step(token);
    if (before === 0 && depth === 1) start = token.end;
    if (before === 1 && depth === 0) return sql.slice(start, token.start);
  }
  return "";
}

/** What rows are told apart by. */
export interface Key {
  /** Expressions over the columns. */
  parts: KeyPart[];
  /** Empty keys are equal, too. */
  nullsEqual: boolean;
  predicate: string | undefined;
  /** The last part is a range that must not overlap. */
  isTemporal: boolean;
}

export interface KeyPart {
  expression: string;
  /** The name, where it is a column as it stands. */
  column: string | undefined;
  /** How it is written where it is not the one of its type. */
  operatorClass: string | undefined;
}

/** Of a unique constraint, a primary key or a unique index. */
export function keyOf(def: string): Key | undefined {
  const tokens = sqlTokens(def);
  const using = tokens.find((token) => isWord(token, "USING"));
  const isIndex = isWord(tokens[0], "CREATE");
  const list = bracketed(isIndex ? def.slice(using?.end ?? def.length) : def);
  if (list === undefined) return undefined;
  const { items, rest } = list;
  const isTemporal = / WITHOUT OVERLAPS$/.test(items.at(-1) ?? "");
  const parts = items.map((item) => partOf(item.replace(/ WITHOUT OVERLAPS$/, "")));
  return {
    parts,
    nullsEqual: isIndex ? / NULLS NOT DISTINCT/.test(rest) : /^UNIQUE NULLS NOT DISTINCT /.test(def),
    predicate: isIndex ? clause(rest, "WHERE") : undefined,
    isTemporal,
  };
}

const ORDER = /^(ASC|DESC|NULLS|FIRST|LAST)$/;

/** `lower(name) COLLATE "C" text_pattern_ops DESC`. */
export function partOf(item: string): KeyPart {
  const tokens = sqlTokens(item);
  let at = 0;
  const skipBrackets = (): void => {
    let depth = 0;
    do {
      const token = tokens[at++];
      depth += token === undefined ? -depth : step(token);
    } while (depth > 0);
  };
  const skipName = (): void => {
    at += 1;
    while (isSymbol(tokens[at], ".")) at += 2;
  };
  if (isSymbol(tokens[0], "(")) skipBrackets();
  else {
    skipName();
    if (isSymbol(tokens[at], "(")) skipBrackets();
  }
  if (isWord(tokens[at], "COLLATE")) {
    at += 1;
    skipName();
  }
  const expression = item.slice(0, tokens[at - 1]?.end);
  const rest = tokens.slice(at).filter((token) => !(token.kind === "word" && ORDER.test(token.text)));
  const [first, last] = [rest[0], rest.at(-1)];
  const name = nameParts(expression);
  return {
    expression,
    column: name?.length === 1 ? name[0] : undefined,
    operatorClass: first === undefined || last === undefined ? undefined : item.slice(first.start, last.end),
  };
}

/** Of an exclusion constraint: what may not be together in two rows. */
export interface Exclusion {
  parts: (KeyPart & { operator: string })[];
  predicate: string | undefined;
}

export function exclusionOf(def: string): Exclusion | undefined {
  const list = bracketed(def);
  if (list === undefined) return undefined;
  const parts = list.items.map((item) => {
    const tokens = sqlTokens(item);
    const at = tokens.findLastIndex((token) => isWord(token, "WITH"));
    const [word] = tokens.slice(at, at + 1);
    return { ...partOf(item.slice(0, word?.start)), operator: item.slice(word?.end ?? item.length).trim() };
  });
  return { parts, predicate: clause(list.rest, "WHERE") };
}

/** Of a foreign key. */
export interface Reference {
  columns: string[];
  table: { schema: string; name: string };
  referred: string[];
  isFull: boolean;
  /** The last of each is a period. */
  isTemporal: boolean;
  /** What decides which rows it refuses. */
  core: string;
}

export function referenceOf(def: string): Reference | undefined {
  const own = bracketed(def);
  const target = own === undefined ? undefined : /^ REFERENCES (.*)$/s.exec(own.rest)?.[1];
  const list = target === undefined ? undefined : bracketed(target);
  if (own === undefined || target === undefined || list === undefined) return undefined;
  const [schema, name] = nameParts(target.slice(0, target.indexOf("("))) ?? [];
  const columns = namesIn(own.items);
  const referred = namesIn(list.items);
  if (schema === undefined || name === undefined || columns === undefined || referred === undefined) return undefined;
  const isFull = /^ MATCH FULL/.test(list.rest);
  return {
    columns,
    table: { schema, name },
    referred,
    isFull,
    isTemporal: /^PERIOD /.test(own.items.at(-1) ?? ""),
    core: `${def.slice(0, def.length - list.rest.length)}${isFull ? " MATCH FULL" : ""}`,
  };
}

function namesIn(items: readonly string[]): string[] | undefined {
  const names = items.flatMap((item) => nameParts(item.replace(/^PERIOD /, "")) ?? []);
  return names.length === items.length ? names : undefined;
}

/** The names that a definition may mean columns by. */
export const wordsIn = (sql: string): Set<string> =>
  new Set(sqlTokens(sql).flatMap(({ kind, text }) => (kind === "word" || kind === "quoted" ? [text] : [])));

const EDGES: ReadonlySet<string> = new Set(["MINVALUE", "MAXVALUE"]);

/**
 * The condition that a partition's bound puts on a row, from the keys of the partitioned table; undefined for
 * DEFAULT.
 *
 * @param root the partitioned table, as a text literal of its name.
 */
export function boundCondition(bound: string, keys: readonly string[], root: string): string | undefined {
  const inBrackets = keys.map((key) => `(${key})`);
  const hash = /^FOR VALUES WITH \(modulus (\d+), remainder (\d+)\)$/.exec(bound);
  if (hash !== null)
    return `pg_catalog.satisfies_hash_partition(${root}::pg_catalog.regclass, ${hash[1]}, ${hash[2]}, ${inBrackets.join(", ")})`;
  if (bound.startsWith("FOR VALUES IN ")) {
    const items = bracketed(bound)?.items ?? [];
    const values = items.filter((item) => item !== "NULL");
    const key = inBrackets[0] ?? "";
    const some = values.length === 0 ? [] : [`${key} IN (${values.join(", ")})`];
    return [...some, ...(values.length < items.length ? [`${key} IS NULL`] : [])].join(" OR ");
  }
  const from = bound.startsWith("FOR VALUES FROM ") ? bracketed(bound) : undefined;
  const to = from === undefined ? undefined : bracketed(from.rest);
  if (from === undefined || to === undefined) return undefined;
  // What stands behind an open end counts for nothing.
  const side = (items: readonly string[], otherwise: string, atMax: string): string[] => {
    const open = items.findIndex((item) => EDGES.has(item));
    const values = open === -1 ? items : items.slice(0, open);
    if (values.length === 0) return [];
    const operator = items[open] === "MAXVALUE" ? atMax : otherwise;
    return [`ROW(${inBrackets.slice(0, values.length).join(", ")}) ${operator} ROW(${values.join(", ")})`];
  };
  // After MINVALUE everything is above, and nothing below.
  return [
    ...inBrackets.map((key) => `${key} IS NOT NULL`),
    ...side(from.items, ">=", ">"),
    ...side(to.items, "<", "<="),
  ].join(" AND ");
}
