/** A planned statement as a value: the planner creates it, everything else prints it or runs it. */
import type { StableId } from "../catalog/pgDelta.ts";
import type { TableId } from "../catalog/tables.ts";
import type { StoredResult } from "./storedResults.ts";

/**
 * The lock that a statement takes on existing tables, by Postgres' names; `none` where only new objects are
 * touched.
 */
export type Lock = "none" | "SHARE" | "SHARE ROW EXCLUSIVE" | "SHARE UPDATE EXCLUSIVE" | "ACCESS EXCLUSIVE";

/**
 * `shared`: runs with the others in one transaction. `last`: its effect is usable only after a commit (a new
 * enum value), so it ends its transaction. `none`: the server refuses it inside a transaction.
 */
export type TransactionUse = "shared" | "last" | "none";

/**
 * What takes a statement its time, and so which time limit it has. `catalog`: it changes the catalog only,
 * which takes milliseconds however large the table is. `rows`: it reads, checks, copies or indexes rows, or
 * runs a script of others.
 */
export type Work = "catalog" | "rows";

/** Rows that are copied from one table into another. Names are quoted. */
export interface RowCopy {
  source: string;
  target: string;
  /** Keys of rows that have changed since the copy began; all null where the source was truncated. */
  log: string;
  condition: string;
  columns: string;
  keys: readonly string[];
}

/** One planned statement: everything else prints it or runs it. */
export interface Statement {
  sql: string;
  op: "create" | "update" | "delete";
  /** The object that a person would look for, such as `table platform.users`. */
  object: string;
  /** What the statement makes, changes or drops. */
  id: StableId | undefined;
  /** Of a rename: what `id` is called before it. */
  renames?: StableId;
  /** The same in words. */
  subject: string;
  lock: Lock;
  /** Tables beside its own that it locks as strongly. */
  locksToo?: readonly TableId[];
  /** Tables whose rows it reads, all of them, while they are locked. */
  scans?: readonly TableId[];
  transaction: TransactionUse;
  work: Work;
  /** Tables or columns that it drops. */
  drops: StableId[];
  /** The server may copy the whole table. */
  rewrites: boolean;
  /** It stays in the transaction as it is: no recipe takes its place. */
  isAtOnce?: boolean;
  /** It copies the rows of the table into a new one of its name. */
  copies?: boolean;
  /** Values may be lost. */
  destructive: boolean;
  /** Of what is retired instead of dropped: the day from which on it is dropped. */
  keeps?: string;
  /** The approval that it needs in place of that of a drop. */
  approval?: string;
  /** How many planned statements it is, where several are run as one. */
  standsFor?: number;
  /** The `search_path` that it needs, where that is not the plan's. */
  searchPath?: string;
  /** Encoded ids that must be there before it runs. */
  consumes: readonly string[];
  /**
   * For a step of an online recipe that fails: SQL that takes the recipe back, and how many earlier steps go
   * with it.
   */
  undo?: { sql: string; steps: number };
  /**
   * Run in batches until no row is left, instead of as it stands. Names are quoted; without an expression,
   * it is the column's default. `recomputed`: a generated column, its expression, and the column to set to
   * itself.
   */
  backfill?: {
    table: string;
    column: string;
    expression?: string;
    recomputed?: { expression: string; set: string };
  };
  /** Run in batches, while others write, instead of as it stands. */
  copying?: RowCopy;
  /** Rows that it takes out of a table, at most, while everybody waits. */
  takesOut?: number;
  /** What it brings up to date after a change of results. */
  recomputes?: StoredResult;
}

/** Statements in the order of their execution, and the settings they need. */
export interface StatementList {
  statements: Statement[];
  /** `SET LOCAL` settings, such as `check_function_bodies` → `off`. */
  settings: { name: string; value: string }[];
}
