import type { Draw } from "../draw.ts";

/** One statement of a layer, and what must be there before it. */
export interface Item {
  key: number;
  kind: string;
  sql: string;
  /** What later statements say when they mean it. */
  name: string;
  /** Keys of earlier items. */
  needs: readonly number[];
  /** The first version that knows such a thing. */
  since?: number;
  /** Of a table, whose columns may also come later, one by one. */
  table?: TableParts;
  /** The same thing without expressions, for what others need. */
  plain?: string;
  /** The same thing with other expressions. */
  again?: (draw: Draw) => string;
}

export interface TableParts {
  name: string;
  /** As in CREATE TABLE. */
  columns: readonly string[];
  /** Constraints of the table. */
  constraints: readonly string[];
}

export function createTable({ name, columns, constraints }: TableParts): string {
  return `create table ${name} (\n  ${[...columns, ...constraints].join(",\n  ")}\n)`;
}

/** The same table, made of fewer columns at first. */
export function createInSteps(table: TableParts, later: number): string {
  const kept = Math.max(1, table.columns.length - later);
  const first = createTable({ name: table.name, columns: table.columns.slice(0, kept), constraints: [] });
  const columns = table.columns.slice(kept).map((column) => `alter table ${table.name} add column ${column}`);
  const constraints = table.constraints.map((constraint) => `alter table ${table.name} add ${constraint}`);
  return [first, ...columns, ...constraints].join(";\n");
}

/** Keys of the earlier items whose names a statement says. */
export function needsOf(sql: string, earlier: readonly Item[]): number[] {
  return earlier.filter(({ name }) => name !== "" && says(sql, name)).map(({ key }) => key);
}

function says(sql: string, name: string): boolean {
  for (let at = sql.indexOf(name); at !== -1; at = sql.indexOf(name, at + 1)) {
    if (!/[\w"]/.test(sql[at + name.length] ?? "")) return true;
  }
  return false;
}

/** The items without some, and without all that needs those. */
export function without(items: readonly Item[], gone: ReadonlySet<number>): Item[] {
  const all = new Set(gone);
  return items.filter(({ key, needs }) => {
    if (needs.some((need) => all.has(need))) all.add(key);
    return !all.has(key);
  });
}

/** A layer's file. */
export const fileOf = (items: readonly Item[]): string => items.map(({ sql }) => `${sql};\n`).join("\n");
