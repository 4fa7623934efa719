/**
 * The parts that all recipes share: what they look at, what they return, how a step is written. Which
 * statement gets which recipe is decided in `online.ts`.
 */
import type { FactBase, StableId } from "../../catalog/pgDelta.ts";
import type { TableSizes } from "../../catalog/tables.ts";
import type { Conversions } from "../conversions.ts";
import type { Statement } from "../statement.ts";

/** What the recipes look at. */
export interface OnlineContext {
  live: FactBase;
  desired: FactBase;
  sizes: TableSizes;
  /** Encoded ids of indexes that a build left behind invalid. They are no facts of `live`. */
  invalidIndexes: ReadonlySet<string>;
  /** Of the server. */
  majorVersion: number;
  /** How columns get their values, by encoded id. */
  conversions: Conversions;
  /** Encoded ids of new partitions that take rows of the default one. */
  displacing?: ReadonlySet<string>;
  /** Nothing may run before the others: they need names that come with the transaction. */
  inOrder?: boolean;
}

/**
 * What one statement becomes. `soon` runs where the statement stood, with the others; `later` after all of
 * them, each by itself.
 */
export interface Recipe {
  soon: Statement[];
  later: Statement[];
}

/** An index by name; schemas have one name space for tables and indexes. */
export interface IndexId {
  schema: string;
  name: string;
}

export const asId = ({ schema, name }: IndexId): StableId => ({ kind: "index", schema, name });

export interface SubId {
  schema: string;
  table: string;
  name: string;
}

/** A step of a recipe: as the statement, but with other SQL. */
export function step(statement: Statement, sql: string, change: Partial<Statement> = {}): Statement {
  return { ...statement, sql, ...change };
}

/** Runs by itself, for as long as it takes, and blocks neither readers nor writers. */
export const standalone = {
  transaction: "none",
  lock: "SHARE UPDATE EXCLUSIVE",
  work: "rows",
  rewrites: false,
} as const;

/** Blocks all other sessions, but only for a moment. */
export const brief = { transaction: "shared", lock: "ACCESS EXCLUSIVE", work: "catalog", rewrites: false } as const;
