import type { Draw } from "../draw.ts";
import type { Family, Field, SqlType } from "./types.ts";

/** A column as an expression says it. */
export interface Column {
  ref: string;
  type: SqlType;
}

/** What stands in FROM. */
export interface Relation {
  sql: string;
  columns: readonly Field[];
}

/** A function that the schema has. */
export interface Routine {
  sql: string;
  parameters: readonly Parameter[];
  result: SqlType;
}

export interface Parameter extends Field {
  hasDefault?: boolean;
  variadic?: boolean;
}

/** What an expression is made of, where it stands. */
export interface Scope {
  draw: Draw;
  columns: readonly Column[];
  /** What a subquery may read; empty where none may stand. */
  relations: readonly Relation[];
  routines: readonly Routine[];
  /** All that a column may be of. */
  types: readonly SqlType[];
  /** Whole rows that may be named. */
  rows: readonly string[];
  /** Only what depends on nothing but its arguments may stand. */
  immutable: boolean;
  major: number;
  /** Gives out aliases that no other query has. */
  alias: () => string;
}

export function columnOf(scope: Scope, family: Family): Column | undefined {
  return scope.draw.pick(scope.columns.filter(({ type }) => type.family === family));
}

/** Of the type itself, not only of its family. */
export function columnLike(scope: Scope, type: SqlType): Column | undefined {
  return scope.draw.pick(scope.columns.filter((column) => column.type.sql === type.sql));
}
