/**
 * Several planned statements as one that does the same: fewer round trips, fewer lock table walks, shorter
 * plans. Only neighbours are merged, so the order that the planner found stays.
 */
import { describe, ownerObject } from "../catalog/objectNames.ts";
import type { FactBase, StableId } from "../catalog/pgDelta.ts";
import { quoteIdent, quoteQualified } from "../catalog/quote.ts";
import { text } from "../catalog/tables.ts";
import { isVirtual } from "../catalog/virtualColumns.ts";
import type { SubId } from "./online/recipe.ts";
import type { Statement } from "./statement.ts";
import { isVolatileDefault } from "./volatileDefault.ts";

/** Privileges on columns of one table, with the same privileges and the same grantees. */
export function withColumnPrivilegesMerged(statements: readonly Statement[]): Statement[] {
  return merged(statements, columnPrivileges, (parts) => {
    const [{ head, privileges, tail }] = parts;
    const columns = parts.map(({ column }) => column).join(", ");
    return `${head}${privileges.map((privilege) => `${privilege} (${columns})`).join(", ")}${tail}`;
  });
}

/**
 * Columns added to one table. One that the server fills in row by row stays alone, because it has a hazard of
 * its own.
 */
export function withColumnsAddedTogether(statements: readonly Statement[], desired: FactBase): Statement[] {
  return merged(
    statements,
    (statement) => addedColumn(statement, desired),
    (parts) => `${parts[0].head}${parts.map(({ clause }) => clause).join(", ")}`,
  );
}

/** What statements that may be merged have in common, and what each of them brings. */
interface Part {
  /** Neighbours of one key are merged. */
  key: string;
  /** Quoted. */
  column: string;
}

type Parts<T> = readonly [T, ...T[]];

interface Group<T> {
  statements: [Statement, ...Statement[]];
  parts: [T, ...T[]];
}

function merged<T extends Part>(
  statements: readonly Statement[],
  partOf: (statement: Statement) => T | undefined,
  sqlOf: (parts: Parts<T>) => string,
): Statement[] {
  const result: Statement[] = [];
  let groups: Group<T>[] = [];
  const close = (): void => {
    for (const { statements, parts } of groups)
      result.push(statements.length === 1 ? statements[0] : asOne(statements, sqlOf(parts)));
    groups = [];
  };
  for (const statement of statements) {
    const part = partOf(statement);
    if (part === undefined) {
      close();
      result.push(statement);
      continue;
    }
    const group = groupFor(part, groups);
    if (group === undefined) groups.push({ statements: [statement], parts: [part] });
    else {
      group.statements.push(statement);
      group.parts.push(part);
    }
  }
  close();
  return result;
}

/** The last group of its key, unless the part would overtake another statement about the same column. */
function groupFor<T extends Part>({ key, column }: T, groups: readonly Group<T>[]): Group<T> | undefined {
  const at = groups.findLastIndex(({ parts }) => parts[0].key === key);
  const isOvertaken = groups.slice(at + 1).some(({ parts }) => parts.some((part) => part.column === column));
  return isOvertaken ? undefined : groups[at];
}

function asOne(all: readonly [Statement, ...Statement[]], sql: string): Statement {
  const [first] = all;
  const privilege = /^(?:grant|revoke) on /.exec(first.subject)?.[0] ?? "";
  return {
    ...first,
    sql,
    subject: `${privilege}${all.length} columns of ${describe(ownerObject(first.id ?? { kind: "schema", name: "" }))}`,
    consumes: [...new Set(all.flatMap(({ consumes }) => consumes))],
  };
}

interface ColumnPrivileges extends Part {
  /** `GRANT ` or `REVOKE `, with what follows it. */
  head: string;
  privileges: string[];
  tail: string;
}

/** Undefined for a statement that reads in any other way than privileges on one column do. */
function columnPrivileges({ sql, id, transaction }: Statement): ColumnPrivileges | undefined {
  const name = id?.kind === "acl" ? id.column : id?.kind === "column" ? id.name : undefined;
  if (name === undefined || transaction !== "shared") return undefined;
  const column = quoteIdent(name);
  const [, head, list, tail] = /^(GRANT |REVOKE (?:GRANT OPTION FOR )?)(.+?)( ON TABLE .+)$/s.exec(sql) ?? [];
  if (head === undefined || list === undefined || tail === undefined) return undefined;
  const privileges = list.split(` (${column})`);
  // Each privilege is followed by the column: nothing is left behind the last one.
  if (privileges.pop() !== "") return undefined;
  const names = privileges.map((privilege, n) => (n === 0 ? privilege : privilege.replace(/^, /, "")));
  if (!names.every((name) => /^[A-Z]+$/.test(name))) return undefined;
  return { key: JSON.stringify([head, names, tail]), head, privileges: names, column, tail };
}

interface AddedColumn extends Part {
  head: string;
  clause: string;
}

function addedColumn(statement: Statement, desired: FactBase): AddedColumn | undefined {
  const { sql, id, op, transaction, undo, backfill } = statement;
  if (id?.kind !== "column" || op !== "create" || transaction !== "shared") return undefined;
  if (undo !== undefined || backfill !== undefined || !isFreeToAdd(id, desired)) return undefined;
  const head = `ALTER TABLE ${quoteQualified(id.schema, id.table)} `;
  return sql.startsWith(`${head}ADD COLUMN `)
    ? { key: head, column: quoteIdent(id.name), head, clause: sql.slice(head.length) }
    : undefined;
}

/** Whether the column asks nothing of the rows that are there, and nothing is written into them. */
function isFreeToAdd({ schema, table, name }: SubId, desired: FactBase): boolean {
  const id: StableId = { kind: "column", schema, table, name };
  const column = desired.get(id);
  const { identity, generatedExpr, notNull } = column?.payload ?? {};
  const defaultExpression = text(desired.get({ kind: "default", schema, table, name }), "expr");
  return (
    !identity &&
    (!generatedExpr || isVirtual(column)) &&
    (notNull !== true || defaultExpression !== "") &&
    (defaultExpression === "" || !isVolatileDefault(defaultExpression)) &&
    !desired.outgoingEdges(id).some(({ to }) => to.kind === "domain")
  );
}

/** So few that a refusal still says what it is about. */
const MOST_DROPS_TOGETHER = 50;

/**
 * Neighbouring `DROP TABLE` of one transaction as one statement of several tables. After each statement the
 * server walks through all locks that the transaction holds, about twenty for each table dropped, so
 * thousands of single drops take minutes.
 */
export function withDropsTogether(statements: readonly Statement[]): Statement[] {
  const joined: Statement[] = [];
  let together: Statement[] = [];
  const close = (): void => {
    const [first, ...others] = together;
    if (first !== undefined) joined.push(others.length === 0 ? first : dropTogether(first, others));
    together = [];
  };
  for (const statement of statements) {
    const isDrop = isPlainDrop(statement);
    if (!isDrop || together.length === MOST_DROPS_TOGETHER) close();
    if (isDrop) together.push(statement);
    else joined.push(statement);
  }
  close();
  return joined;
}

const DROP_TABLE = "DROP TABLE ";

function isPlainDrop({ id, op, sql, transaction }: Statement): boolean {
  return (
    op === "delete" &&
    transaction === "shared" &&
    id?.kind === "table" &&
    sql === `${DROP_TABLE}${quoteQualified(id.schema, id.name)}`
  );
}

function dropTogether(first: Statement, others: readonly Statement[]): Statement {
  const all = [first, ...others];
  return {
    ...first,
    sql: DROP_TABLE + all.map(({ sql }) => sql.slice(DROP_TABLE.length)).join(",\n  "),
    subject: `${first.subject} and ${others.length} more tables`,
    drops: all.flatMap(({ drops }) => drops),
    consumes: all.flatMap(({ consumes }) => consumes),
    standsFor: all.length,
  };
}
