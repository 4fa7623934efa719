/**
 * A question that a planned statement puts to the rows of the target, and its answer: one plain value, which
 * `questions.ts` makes, `apply/askRows.ts` answers, and messages, gates and reports show. It never holds a
 * value of a row.
 */

import type { Statement } from "../statement.ts";

/** What has to be known of the rows before a statement is run. */
export interface RowQuestion {
  /** As planned; recipes may run it in steps. */
  statement: string;
  /** What the statement makes or changes, in words. */
  subject: string;
  /** What is in the way, after a number of rows or values: `of app.t without a value in v`. */
  obstacle: string;
  unit: "row" | "value";
  /**
   * `refused`: the server refuses the statement, so the plan stops. `changed`: it runs, and rows are not what
   * they were; this is said, and hazards ask for the approval. `moved`: a recipe moves them; this is said.
   * `doubtful`: the server may refuse the statement, which only running it can tell; this is said.
   */
  effect: "refused" | "changed" | "moved" | "doubtful";
  /**
   * SELECT with one row for each obstacle. Of a conversion: one that fails where a row cannot be converted.
   */
  asks: string;
  isConversion?: boolean;
  /** Another question of the plan tells of the rows that its expressions fail for. */
  isTriedBefore?: boolean;
  /** The server refuses the statement whatever the rows are, so they are not asked. */
  isUnsupported?: boolean;
  /** What lists the rows to a person, by their key. Of a conversion it may be a block that raises notices. */
  lists: string;
  /** In that case: a block that counts them, into a setting. */
  counts?: string;
  /** What to do, in sentences. */
  advice: string;
  /** With which its expressions are read; the plain one where left out. */
  searchPath?: string;
  /**
   * Statements of the plan that it is asked after, in a transaction that is undone: what makes or changes the
   * functions that it calls. Indexes and checks then hold results of the old ones.
   */
  makes?: readonly string[];
  /** That a row raises an error is the answer to another question. */
  isErrorAsked?: boolean;
}

export type RowAnswer =
  | { kind: "unasked" }
  | { kind: "none"; elapsedMs: number }
  /** `isMore`: that many at least. `sqlstate`: by which the server refused one of them. */
  | { kind: "found"; count: number; isMore: boolean; elapsedMs: number; sqlstate?: string }
  | { kind: "unfinished"; elapsedMs: number; reason: "time" | "all" | "lock" | "functions" }
  | { kind: "forbidden" }
  | { kind: "unsupported" }
  /** The statement reads a materialized view that holds no data. */
  | { kind: "unpopulated" }
  /** Such as a function that comes with the same plan. */
  | { kind: "unknown"; sqlstate: string };

export interface RowCheck {
  question: RowQuestion;
  answer: RowAnswer;
}

/** More obstacles than these are "more than". */
export const MOST_COUNTED = 1000;

/** The setting in which a block leaves its number. */
export const COUNT_SETTING = "pgstrata.rows_found";

/** Data exceptions, broken constraints, values that are too long, and what a function raises. */
export const isOfRows = (sqlstate: string): boolean => /^(21|22|23|54000|P0001)/.test(sqlstate);

/** What a question is asked for: a statement, or what several do. */
export type Change = Pick<Statement, "sql" | "subject">;

/** A question that stops the plan unless its answer is none; the rest as given. */
export function refusal(
  { sql, subject }: Change,
  question: Pick<RowQuestion, "obstacle" | "asks" | "advice"> & Partial<RowQuestion>,
): RowQuestion {
  return { statement: sql, subject, unit: "row", effect: "refused", lists: question.asks, ...question };
}
