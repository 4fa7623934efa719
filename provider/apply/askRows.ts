/**
 * Puts the questions of a plan to the rows of the target, in one read-only transaction with time limits.
 * What the rows answer to is made in `plan/rowChecks/`; what follows from an answer is decided there too.
 */
import type { Pool, PoolClient } from "pg";
import { PINNED_SEARCH_PATH } from "../core/searchPath.ts";
import { codeOf } from "../database/connectionError.ts";
import { connectionLoss } from "../database/lostConnection.ts";
import {
  COUNT_SETTING,
  isOfRows,
  MOST_COUNTED,
  type RowAnswer,
  type RowCheck,
  type RowQuestion,
} from "../plan/rowChecks/rowCheck.ts";

/** How long a lock is waited for that a function needs to be made: others must not queue up behind us. */
const LOCK_TIMEOUT_MS = 200;

/** What is stored is of the old functions, so nothing may be concluded from it. */
const WITHOUT_STORED_RESULTS = [
  "enable_indexscan",
  "enable_indexonlyscan",
  "enable_bitmapscan",
  "enable_partition_pruning",
  "constraint_exclusion",
];

const AT_MOST = MOST_COUNTED + 1;

/** How many times as long as one question all of a plan may take. */
const ALL_QUESTIONS = 5;

/** The questions of a plan, and what may be run before those that say so, in the order of the plan. */
export interface PlanQuestions {
  rowChecks: readonly RowCheck[];
  makes: readonly string[];
}

/**
 * Answers to all questions. Without one, and with no time for any, the database is not touched.
 *
 * @param timeoutMs for one question.
 */
export async function askRows(
  pool: Pool,
  { rowChecks: checks, makes }: PlanQuestions,
  timeoutMs: number,
  allMs: number = ALL_QUESTIONS * timeoutMs,
): Promise<RowCheck[]> {
  if (checks.length === 0 || timeoutMs === 0) return [...checks];
  const client = await pool.connect();
  let broken: Error | undefined;
  // A session that has seen functions that never were.
  let isSpent = false;
  try {
    // A policy must not hide a row: with row_security off the server raises an error instead.
    await client.query("begin; set local row_security = off");
    const end = performance.now() + allMs;
    const needed = new Set(checks.flatMap(({ question }) => question.makes ?? []));
    const made = await madeOf(
      client,
      makes.filter((sql) => needed.has(sql)),
      timeoutMs,
    );
    isSpent = made.size > 0;
    await client.query("set transaction read only");
    const answered: RowCheck[] = [];
    for (const { question } of checks) {
      const leftMs = Math.floor(Math.min(timeoutMs, end - performance.now()));
      const isMade = question.makes?.every((sql) => made.has(sql)) ?? true;
      const answer = isMade ? answerTo(client, question, leftMs) : notAsked;
      answered.push({ question, answer: await answer });
    }
    return answered;
  } catch (error) {
    broken = error instanceof Error ? error : new Error(String(error));
    throw error;
  } finally {
    await client.query("rollback").catch((error: Error) => {
      broken = error;
    });
    client.release(broken ?? isSpent);
  }
}

const notAsked: RowAnswer = { kind: "unfinished", elapsedMs: 0, reason: "functions" };

/** Which of the statements have been run; one that the server refuses is left out. */
async function madeOf(
  client: PoolClient,
  statements: readonly string[],
  limitMs: number,
): Promise<ReadonlySet<string>> {
  const made = new Set<string>();
  const settings = { limitMs, searchPath: undefined };
  if (statements.length === 0) return made;
  await client.query(`set local check_function_bodies = off; set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
  for (const sql of statements) {
    const done = await inSavepoint(client, { ...settings, isKept: true }, async () => {
      await client.query(sql);
      return 1;
    });
    if (done === 1) made.add(sql);
  }
  return made;
}

async function answerTo(client: PoolClient, question: RowQuestion, limitMs: number): Promise<RowAnswer> {
  if (question.isUnsupported) return { kind: "unsupported" };
  if (limitMs <= 0) return { kind: "unfinished", elapsedMs: 0, reason: "all" };
  const started = performance.now();
  const elapsed = (): number => Math.round(performance.now() - started);
  const attempt = (work: () => Promise<number>): Promise<number | string> =>
    inSavepoint(
      client,
      {
        limitMs: Math.max(1, limitMs - elapsed()),
        searchPath: question.searchPath,
        isOutdated: question.makes !== undefined,
      },
      work,
    );

  const count = await attempt(() =>
    question.isConversion ? convertAll(client, question.asks) : countOf(client, question.asks),
  );
  if (typeof count === "number") {
    if (count === 0) return { kind: "none", elapsedMs: elapsed() };
    const isMore = count > MOST_COUNTED;
    return { kind: "found", count: isMore ? MOST_COUNTED : count, isMore, elapsedMs: elapsed() };
  }
  if (!isOfRows(count)) return failed(count, elapsed(), question);
  // A constant that comes with the same plan, such as a label of an enum, fails before any row is read.
  if ((await attempt(() => explain(client, question.asks))) === count) return { kind: "unknown", sqlstate: count };
  if (question.isErrorAsked) return { kind: "none", elapsedMs: elapsed() };
  // That a row cannot be converted at all is the answer to another question.
  if (question.effect !== "refused" || question.isTriedBefore) return { kind: "unknown", sqlstate: count };
  // The server met a row that it refuses. How many there are is worth what time is left.
  const { counts, lists, asks } = question;
  const counting = (): Promise<number> =>
    counts === undefined ? countOf(client, lists) : countByBlock(client, counts);
  const counted = lists === asks ? 0 : await attempt(counting);
  const known = typeof counted === "number" ? counted : 0;
  const isMore = known === 0 || known > MOST_COUNTED;
  return {
    kind: "found",
    count: Math.max(1, Math.min(known, MOST_COUNTED)),
    isMore,
    elapsedMs: elapsed(),
    sqlstate: count,
  };
}

interface Settings {
  limitMs: number;
  searchPath: string | undefined;
  /** What the database has stored is not to be relied on. */
  isOutdated?: boolean;
  /** What is done stays in the transaction, unless it fails. */
  isKept?: boolean;
}

/** Runs in a savepoint that is rolled back, with its locks; answers with the SQLSTATE of a failure. */
async function inSavepoint(
  client: PoolClient,
  { limitMs, searchPath, isOutdated = false, isKept = false }: Settings,
  work: () => Promise<number>,
): Promise<number | string> {
  let isUndone = !isKept;
  await client.query("savepoint question");
  try {
    await client.query(
      "select pg_catalog.set_config('statement_timeout', $1, true), pg_catalog.set_config('search_path', $2, true)",
      [String(limitMs), searchPath ?? PINNED_SEARCH_PATH],
    );
    if (isOutdated) await client.query(WITHOUT_STORED_RESULTS.map((name) => `set local ${name} = off`).join("; "));
    return await work();
  } catch (error) {
    isUndone = true;
    const code = codeOf(error);
    if (code === undefined || connectionLoss(error) !== undefined) throw error;
    return code;
  } finally {
    if (isUndone) await client.query("rollback to savepoint question");
  }
}

/** Rows of a question, which is made of quoted names and of what the server printed. */
async function countOf(client: PoolClient, quotedQuestion: string): Promise<number> {
  const { rows } = await client.query<{ n: number }>(
    `select pg_catalog.count(*)::int as n from (${quotedQuestion} limit ${AT_MOST}) as found`,
  );
  return rows[0]?.n ?? 0;
}

/** None where it succeeds. */
async function convertAll(client: PoolClient, asks: string): Promise<number> {
  await client.query(asks);
  return 0;
}

/** Plans it without reading a row. */
async function explain(client: PoolClient, quotedQuestion: string): Promise<number> {
  await client.query(`EXPLAIN ${quotedQuestion}`);
  return 0;
}

async function countByBlock(client: PoolClient, block: string): Promise<number> {
  await client.query(block);
  const { rows } = await client.query<{ n: string }>(`select pg_catalog.current_setting('${COUNT_SETTING}') as n`);
  return Number(rows[0]?.n ?? 0);
}

function failed(sqlstate: string, elapsedMs: number, { isConversion = false }: RowQuestion): RowAnswer {
  // There is no such cast.
  if (sqlstate === "42846" && isConversion) return { kind: "unsupported" };
  if (sqlstate === "55000" && isConversion) return { kind: "unpopulated" };
  switch (sqlstate) {
    case "57014":
      return { kind: "unfinished", elapsedMs, reason: "time" };
    case "55P03":
      return { kind: "unfinished", elapsedMs, reason: "lock" };
    // A table that another layer of this preview makes has no rows.
    case "42P01":
      return { kind: "none", elapsedMs };
    case "42501":
      return { kind: "forbidden" };
    default:
      return { kind: "unknown", sqlstate };
  }
}
