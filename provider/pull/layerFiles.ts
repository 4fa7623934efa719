/**
 * A database as the files of a layer: the statements that would make it, each in the file in which a reader
 * looks for it. What is pulled is `selection.ts`'s question, how a statement is written that of
 * `sqlStyle.ts`.
 */

import { buildFactBase } from "../catalog/factBase.ts";
import { asObject } from "../catalog/kinds/kind.ts";
import { baseOf } from "../catalog/kinds/kinds.ts";
import { kindInWords, ownerObject } from "../catalog/objectNames.ts";
import { encodeId, type FactBase, type StableId } from "../catalog/pgDelta.ts";
import { tableOf } from "../catalog/tables.ts";
import { isNeedless } from "../plan/defaultPrivileges.ts";
import { planStatements } from "../plan/planStatements.ts";
import type { Statement } from "../plan/statement.ts";
import { inRunnableOrder, isCreate, makersOf, needsOf, type Placed } from "./fileOrder.ts";
import { mergedGrants } from "./grants.ts";
import type { SqlStyle, TablePart } from "./sqlStyle.ts";
import { tableGroups } from "./tableGroups.ts";

export interface LayerFile {
  /** Such as `40-projects.sql`. */
  name: string;
  sql: string;
}

/**
 * The files, in the order of their names, which is one in which they can be run.
 *
 * @param assumed what exists already, and is written elsewhere.
 * @param given what each database has. Default: nothing.
 */
export function layerFiles(
  facts: FactBase,
  style: SqlStyle,
  { assumed, given = buildFactBase([], [], facts.source) }: { assumed?: FactBase; given?: FactBase } = {},
): LayerFile[] {
  const statements = planStatements(given, facts).statements.filter(
    (statement) =>
      statement.sql !== 'CREATE SCHEMA "public"' &&
      !(statement.op === "create" && statement.id !== undefined && assumed?.has(statement.id)) &&
      !isNeedless(statement, given, facts),
  );
  const ordered = inRunnableOrder(placed(statements, facts), facts);
  const files = new Map<string, Statement[]>();
  for (const { statement, file } of ordered) files.set(file, [...(files.get(file) ?? []), statement]);
  const inlined = inlinedParts(ordered, facts);
  return [...files]
    .map(([name, content]) => ({ name, sql: fileText(name, content, inlined, style) }))
    .filter(({ sql }) => sql !== "")
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

const FOUNDATION = new Set<StableId["kind"]>([
  "schema",
  "extension",
  "collation",
  "type",
  "domain",
  "sequence",
  "fdw",
  "server",
]);
const READERS = new Set<StableId["kind"]>(["view", "materializedView"]);

/** Where a statement stands: its file, and its place among the others. */
interface Place {
  file: string;
  rank: readonly number[];
}

function placed(statements: readonly Statement[], facts: FactBase): Placed[] {
  const tables = placesOfTables(facts);
  const needs = needsOf(statements, facts);
  const early = neededByTables(statements, needs, tables, facts);
  const parts = numbers(tables.size === 0 ? 0 : Math.max(...[...tables.values()].map(({ group }) => group)) + 1);
  const placeOf = (statement: Statement, n: number): Place => {
    const { id } = statement;
    const object = id === undefined ? undefined : ownerObject(id);
    const table = object === undefined ? undefined : tables.get(keyOfTable(object, facts));
    if (/^(GRANT |ALTER DEFAULT PRIVILEGES |REVOKE .* FROM (?!PUBLIC$))/.test(statement.sql))
      return { file: parts.last("grants"), rank: [5] };
    if (table !== undefined) return { file: parts.table(table), rank: [2, table.group, table.order, partRank(id)] };
    const owning = object?.kind === "sequence" ? ownerOfSequence(n, statements, needs, tables, facts) : undefined;
    if (owning !== undefined) return { file: parts.table(owning), rank: [2, owning.group, owning.order, 0] };
    if (object !== undefined && (FOUNDATION.has(object.kind) || early.has(encodeId(object))))
      return { file: parts.first("foundation"), rank: [1] };
    const isView = object !== undefined && READERS.has(readerOf(object, facts).kind);
    return isView ? { file: parts.views("views"), rank: [4] } : { file: parts.functions("functions"), rank: [3] };
  };
  return statements
    .map((statement, n) => ({ statement, n, ...placeOf(statement, n) }))
    .sort((a, b) => compare([...a.rank, a.n], [...b.rank, b.n]));
}

/** A missing number counts as zero. */
function compare(a: readonly number[], b: readonly number[]): number {
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Of the table that an object is, or is a part of. Parts do not tell that a table is a foreign one. */
function keyOfTable(id: StableId, facts: FactBase): string {
  const table = tableOf(id, facts) ?? id;
  const foreign: StableId | undefined =
    table.kind === "table" ? { kind: "foreignTable", schema: table.schema, name: table.name } : undefined;
  return encodeId(foreign !== undefined && facts.has(foreign) ? foreign : table);
}

interface TablePlace {
  file: string;
  group: number;
  order: number;
}

function placesOfTables(facts: FactBase): Map<string, TablePlace> {
  const groups = tableGroups(facts);
  const isOneSchema = new Set(groups.map(({ schema }) => schema)).size < 2;
  const taken = new Set<string>();
  return new Map(
    groups.flatMap(({ schema, name, tables }, group) => {
      const file = freeName(fileName(isOneSchema ? name : `${schema}-${name}`), taken);
      return tables.map((id, order): [string, TablePlace] => [encodeId(id), { file, group, order }]);
    }),
  );
}

const fileName = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60) || "table";

function freeName(name: string, taken: Set<string>): string {
  let free = name;
  for (let n = 2; taken.has(free); n += 1) free = `${name}-${n}`;
  taken.add(free);
  return free;
}

/** File names that sort as the files are run, with room for others in between. */
function numbers(groups: number) {
  const step = groups <= 14 ? 5 : 1;
  const scale = groups <= 70 ? 1 : 10 ** (String(groups).length - 1);
  const width = String(90 * scale).length;
  const at = (n: number, name: string): string => `${String(n).padStart(width, "0")}-${name}.sql`;
  return {
    first: (name: string) => at(0, name),
    table: ({ group, file }: TablePlace) => at(10 * scale + group * step, file),
    functions: (name: string) => at(80 * scale, name),
    views: (name: string) => at(85 * scale, name),
    last: (name: string) => at(90 * scale, name),
  };
}

/** The table itself, what is said of it, and what stands on it. */
function partRank(id: StableId | undefined): number {
  const kind = id?.kind === "comment" || id?.kind === "securityLabel" ? id.target.kind : id?.kind;
  const late = ["column", "index", "trigger", "rule", "policy"].indexOf(kind ?? "");
  return late === -1 ? 1 : late + 2;
}

/** A rule and an index belong to the view that they are on. */
function readerOf(object: StableId, facts: FactBase): StableId {
  if ("table" in object)
    for (const kind of ["view", "materializedView"] as const) {
      const view: StableId = { kind, schema: object.schema, name: object.table };
      if (facts.has(view)) return view;
    }
  const parent = facts.get(object)?.parent;
  return parent !== undefined && READERS.has(parent.kind) ? parent : object;
}

/** A sequence is written above the table that it counts for. */
function ownerOfSequence(
  n: number,
  statements: readonly Statement[],
  needs: readonly ReadonlySet<number>[],
  tables: ReadonlyMap<string, TablePlace>,
  facts: FactBase,
): TablePlace | undefined {
  const isSequence = (other: number): boolean => {
    const statement = statements[other];
    return statement?.id?.kind === "sequence" && isCreate(statement);
  };
  const maker = isSequence(n) ? n : [...(needs[n] ?? [])].find(isSequence);
  for (const [user, { id }] of statements.entries()) {
    if (maker === undefined || id === undefined || !needs[user]?.has(maker)) continue;
    const table = tables.get(keyOfTable(id, facts));
    if (table !== undefined) return table;
  }
  return undefined;
}

/** Objects that tables need and that need no table: they come first. */
function neededByTables(
  statements: readonly Statement[],
  needs: readonly ReadonlySet<number>[],
  tables: ReadonlyMap<string, TablePlace>,
  facts: FactBase,
): Set<string> {
  const isOfTable = ({ id }: Statement): boolean => id !== undefined && tables.has(keyOfTable(id, facts));
  const reach = (from: readonly number[]): Set<number> => {
    const reached = new Set<number>();
    const queue = [...from];
    for (let n = queue.pop(); n !== undefined; n = queue.pop())
      for (const other of needs[n] ?? [])
        if (!reached.has(other)) {
          reached.add(other);
          queue.push(other);
        }
    return reached;
  };
  const users = statements.flatMap((statement, n) => (isOfTable(statement) ? [n] : []));
  const early = new Set<string>();
  for (const n of reach(users)) {
    const statement = statements[n];
    if (statement?.id === undefined || isOfTable(statement)) continue;
    const needsTable = [...reach([n])].some((other) => statements[other] !== undefined && isOfTable(statements[other]));
    if (!needsTable) early.add(encodeId(ownerObject(statement.id)));
  }
  return early;
}

/** By the statement that makes a table: constraints and defaults that can be a part of it. */
function inlinedParts(ordered: readonly Placed[], facts: FactBase): Map<Statement, Statement[]> {
  const position = makersOf(ordered.map(({ statement }) => statement));
  const inlined = new Map<Statement, Statement[]>();
  const torn = new Set<Statement>();
  const isTwin = twinKeys(facts);
  for (const { statement } of ordered) {
    const { id } = statement;
    if (id === undefined || partOf(statement) === undefined || isTwin(id)) continue;
    const own = keyOfTable(id, facts);
    const at = position.get(own);
    const table = at === undefined ? undefined : ordered[at]?.statement;
    if (at === undefined || table === undefined || !isPlainTable(table.sql)) continue;
    const needed = facts.outgoingEdges(id).map(({ to }) => keyOfTable(to, facts));
    const isBefore = (key: string): boolean => key === own || (position.get(key) ?? -1) < at;
    if (needed.every(isBefore)) inlined.set(table, [...(inlined.get(table) ?? []), statement]);
    else if (id.kind === "column") torn.add(table);
  }
  // The order of columns is that of their statements: all are parts of the table, or none of its parts is.
  for (const table of torn) inlined.delete(table);
  return inlined;
}

const isPlainTable = (sql: string): boolean =>
  /^CREATE (UNLOGGED |FOREIGN )?TABLE (?:(?! PARTITION OF ).)* \(/.test(sql);

/** Two keys of the same columns within a CREATE TABLE would become one. */
function twinKeys(facts: FactBase): (id: StableId) => boolean {
  const seen = new Map<string, number>();
  const keyOf = (id: StableId): string | undefined => {
    const { type, def } = facts.get(id)?.payload ?? {};
    if (id.kind !== "constraint" || (type !== "p" && type !== "u")) return undefined;
    return `${encodeId(tableOf(id) ?? id)} ${String(def).replace(/^(PRIMARY KEY|UNIQUE)( NULLS NOT DISTINCT)? /, "")}`;
  };
  for (const { id } of facts.facts()) {
    const key = keyOf(id);
    if (key !== undefined) seen.set(key, (seen.get(key) ?? 0) + 1);
  }
  return (id) => (seen.get(keyOf(id) ?? "") ?? 0) > 1;
}

const NAME = '(?:"(?:[^"]|"")+")';
const TABLE = `^ALTER (?:FOREIGN )?TABLE (?:ONLY )?${NAME}\\.${NAME}`;
const ADDED = new RegExp(
  `${TABLE} ADD (CONSTRAINT ${NAME} (?:FOREIGN KEY|CHECK|PRIMARY KEY|UNIQUE|EXCLUDE USING \\w+) ?\\([\\s\\S]+)$`,
);
/** A foreign table is planned without its columns. */
const COLUMN = new RegExp(`${TABLE} ADD COLUMN (${NAME} [\\s\\S]+)$`);
const OPTIONS = new RegExp(`${TABLE} ALTER COLUMN (${NAME}) OPTIONS \\(((?:ADD [\\s\\S]+)+)\\)$`);
const DEFAULT = new RegExp(`${TABLE} ALTER COLUMN (${NAME}) SET DEFAULT ([\\s\\S]+)$`);

/** The clause of a CREATE TABLE that does the same. */
function partOf({ op, sql }: Statement): TablePart | undefined {
  if (op !== "create" || / NOT VALID$/.test(sql)) return undefined;
  const clause = ADDED.exec(sql)?.[1];
  if (clause !== undefined) return { clause };
  const definition = COLUMN.exec(sql)?.[1];
  if (definition !== undefined) return { definition };
  const [, optional, options] = OPTIONS.exec(sql) ?? [];
  if (optional !== undefined && options !== undefined) return { column: optional, options };
  const [, column, expression] = DEFAULT.exec(sql) ?? [];
  return column === undefined || expression === undefined ? undefined : { column, expression };
}

function fileText(
  name: string,
  statements: readonly Statement[],
  inlined: ReadonlyMap<Statement, Statement[]>,
  style: SqlStyle,
): string {
  const elsewhere = new Set([...inlined.values()].flat());
  const written = statements
    .filter((statement) => !elsewhere.has(statement))
    .map((statement) => ({
      statement,
      sql: style.statement(
        statement.sql,
        (inlined.get(statement) ?? []).flatMap((part) => partOf(part) ?? []),
      ),
    }));
  if (written.length === 0) return "";
  const blocks = name.endsWith("-grants.sql")
    ? mergedGrants(written.map(({ sql }) => sql))
    : written
        .map(({ sql }, n) => (isJoined(sql, written[n - 1]?.sql) ? `\n${sql}` : sql))
        .reduce<string[]>(joinedBlocks, []);
  return `${headOf(name, statements)}\n\n${blocks.join("\n\n")}\n`;
}

/** Short statements of one kind stand without a line between them. */
function isJoined(sql: string, before: string | undefined): boolean {
  const kind = (text: string): string => text.split(" ", 2).join(" ");
  return before !== undefined && !sql.includes("\n") && !before.includes("\n") && kind(sql) === kind(before);
}

function joinedBlocks(blocks: readonly string[], sql: string): string[] {
  const last = blocks.at(-1);
  return sql.startsWith("\n") && last !== undefined ? [...blocks.slice(0, -1), `${last}${sql}`] : [...blocks, sql];
}

/** What the file has, in a comment. */
function headOf(name: string, statements: readonly Statement[]): string {
  const tables = statements.flatMap(({ op, id }) =>
    op === "create" && (id?.kind === "table" || id?.kind === "foreignTable") ? [id.name] : [],
  );
  if (tables.length > 0) return wrapped(`Tables: ${[...new Set(tables)].join(", ")}.`);
  if (name.endsWith("-grants.sql")) return "-- Privileges.";
  const kinds = new Set(statements.flatMap(({ id }) => (id === undefined ? [] : [kindOf(ownerObject(id))])));
  return wrapped(`Objects: ${[...kinds].sort().join(", ")}.`);
}

/** What a part of another object is on, and of an object of its own what it is. */
const kindOf = (id: StableId): string => baseOf(id) ?? asObject(id)?.intentKind ?? kindInWords(id.kind);

function wrapped(text: string): string {
  return text.replace(/(.{1,107})(?:\s+|$)/g, "-- $1\n").trimEnd();
}
