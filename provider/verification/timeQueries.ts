/**
 * How long queries take: medians of runs that alternate with a control query, which shows how fast the server
 * is otherwise at that moment. What a difference means is decided here too.
 */
import type pg from "pg";
import type { ProviderConfig } from "../core/config.ts";
import { connectionLoss } from "../database/lostConnection.ts";
import type { Database } from "../database/target.ts";
import { inTransaction } from "../database/transaction.ts";
import type { Section } from "./checkFile.ts";
import type { CheckResult } from "./report.ts";
import { single, takeOn } from "./runChecks.ts";

const MOST_RUNS = 15;
const FEWEST_RUNS = 5;
/** After this time a query is run no more often than it must. */
const ENOUGH_MS = 150;
const LONGEST_RUN_MS = 10_000;
/** Below this difference nobody notices, and no clock can tell. */
const FLOOR_MS = 2;
/** No query may take longer, whatever it took before. */
const LONGEST_MS = 1000;
/** Work of the server that no change of the schema touches. */
const CONTROL = "SELECT pg_catalog.count(*) FROM pg_catalog.generate_series(1, 1000)";

/** The times of one query. */
export interface Timing {
  name: string;
  medianMs: number;
  /** The middle half of all runs lies within it. */
  spreadMs: number;
  /** Median of the control query in between. */
  controlMs: number;
}

/**
 * The times of queries; those that cannot be run, such as ones on tables to come, are left out. Of each the
 * last statement is timed; those before it prepare it, such as by a request context.
 */
export async function timeQueries(
  database: Database,
  config: ProviderConfig,
  queries: readonly Section[],
  signal: AbortSignal,
): Promise<Timing[]> {
  if (queries.length === 0) return [];
  const limits = { ...config, statementTimeoutMs: LONGEST_RUN_MS };
  const measure = async (client: pg.ClientBase): Promise<Timing[]> => {
    const timings: Timing[] = [];
    for (const query of queries) {
      signal.throwIfAborted();
      timings.push(...(await timed(client, query)));
    }
    return timings;
  };
  return inTransaction(database, limits, measure, { isUndone: true, signal });
}

async function timed(client: pg.ClientBase, query: Section): Promise<Timing[]> {
  const preparation = query.statements.slice(0, -1);
  const [asked = ""] = query.statements.slice(-1);
  const run = async (text: string): Promise<number> => {
    const started = performance.now();
    await client.query(single(text));
    return performance.now() - started;
  };
  await client.query("SAVEPOINT pgstrata_timing");
  try {
    await takeOn(client, { ...query, writes: false });
    for (const text of preparation) await run(text);
    await run(asked);
    const [runs, controls]: [number[], number[]] = [[], []];
    const started = performance.now();
    while (runs.length < MOST_RUNS && (runs.length < FEWEST_RUNS || performance.now() - started < ENOUGH_MS)) {
      controls.push(await run(CONTROL));
      runs.push(await run(asked));
    }
    return [
      {
        name: query.name,
        medianMs: quantile(runs, 0.5),
        spreadMs: quantile(runs, 0.75) - quantile(runs, 0.25),
        controlMs: quantile(controls, 0.5),
      },
    ];
  } catch (error) {
    if (connectionLoss(error) !== undefined) throw error;
    return [];
  } finally {
    await client
      .query("ROLLBACK TO SAVEPOINT pgstrata_timing; RELEASE SAVEPOINT pgstrata_timing")
      .catch(() => undefined);
  }
}

export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * part;
  const low = sorted[Math.floor(place)] ?? 0;
  const high = sorted[Math.ceil(place)] ?? low;
  return low + (high - low) * (place - Math.floor(place));
}

/**
 * One answer a query.
 *
 * @param limitPercent by how much a query may be slower.
 */
export function compareTimings(
  queries: readonly Section[],
  before: readonly Timing[],
  after: readonly Timing[],
  limitPercent: number,
): CheckResult[] {
  return queries.map(({ name }) => {
    const of = (timings: readonly Timing[]): Timing | undefined => timings.find((timing) => timing.name === name);
    const [was, is] = [of(before), of(after)];
    const answer = { name: `time ${name}`, expected: `at most ${LONGEST_MS} ms` };
    if (is === undefined) return { ...answer, status: "FAIL", measured: "the query cannot be run" };
    const isWithin = is.medianMs <= LONGEST_MS;
    if (was === undefined)
      return { ...answer, status: isWithin ? "PASS" : "FAIL", measured: `${inMs(is.medianMs)}; no time before` };
    const { percent, isSlower } = difference(was, is, limitPercent);
    return {
      name: answer.name,
      status: isWithin && !isSlower ? "PASS" : "FAIL",
      measured: `${inMs(is.medianMs)}, before ${inMs(was.medianMs)} (${percent >= 0 ? "+" : ""}${percent} %)`,
      expected: `at most ${limitPercent} % slower, where runs of one query differ by less; at most ${LONGEST_MS} ms`,
    };
  });
}

/** The server may be slower or faster as a whole than it was: the control query tells by how much. */
function difference(was: Timing, is: Timing, limitPercent: number): { percent: number; isSlower: boolean } {
  const pace = was.controlMs > 0 && is.controlMs > 0 ? is.controlMs / was.controlMs : 1;
  const due = was.medianMs * pace;
  const moreMs = is.medianMs - due;
  const percent = due > 0 ? Math.round((moreMs / due) * 100) : 0;
  const isReal = moreMs > Math.max(was.spreadMs * pace, is.spreadMs) && moreMs > FLOOR_MS;
  return { percent, isSlower: isReal && moreMs > (due * limitPercent) / 100 };
}

const inMs = (ms: number): string => `${ms.toFixed(2)} ms`;
