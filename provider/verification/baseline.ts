/** What is measured before the first change of a run, and compared after its last one. */
import type { ProviderConfig } from "../core/config.ts";
import type { Database } from "../database/target.ts";
import { readSections } from "./checkFile.ts";
import { compareRows } from "./compareRows.ts";
import { countRows, type KnownCounts, type TableCount } from "./countRows.ts";
import type { CheckResult } from "./report.ts";
import { nothingWritten, type RunWrites } from "./runWrites.ts";
import { compareTimings, type Timing, timeQueries } from "./timeQueries.ts";

export interface Baseline {
  tables: TableCount[];
  timings: Timing[];
}

/** How often queries that seem slower are measured again: a busy moment passes. */
const MEASURED_AGAIN = 2;

/** @param known what a backup has counted right before. */
export async function takeBaseline(
  database: Database,
  config: ProviderConfig,
  projectDirectory: string,
  signal: AbortSignal,
  known: Pick<KnownCounts, "counted"> = {},
): Promise<Baseline> {
  const { schemas, queries } = config.baseline;
  const sections = await readSections("query", queries, projectDirectory);
  const tables = schemas.length === 0 ? [] : await countRows(database, config, schemas, signal, known);
  return { tables, timings: await timeQueries(database, config, sections, signal) };
}

/** What decides whether a difference is a fault. */
export interface BaselineLimits {
  /** Whether others may have written meanwhile. */
  hasOtherWriters: boolean;
  /** By how much a query may be slower, in percent. */
  slowdownPercent: number;
}

/** The answers on rows and times; on times alone where nothing was measured before. */
export async function compareBaseline(
  database: Database,
  config: ProviderConfig,
  projectDirectory: string,
  { baseline, writes }: { baseline?: Baseline; writes?: RunWrites },
  limits: BaselineLimits,
  signal: AbortSignal,
): Promise<CheckResult[]> {
  const { schemas, queries } = config.baseline;
  const results: CheckResult[] = [];
  if (baseline !== undefined && schemas.length > 0) {
    const tables = await countRows(database, config, schemas, signal, { earlier: baseline.tables });
    results.push(...compareRows(baseline.tables, tables, writes ?? nothingWritten(), limits.hasOtherWriters));
  }
  const sections = await readSections("query", queries, projectDirectory);
  let timings = await timeQueries(database, config, sections, signal);
  const compared = (): CheckResult[] =>
    compareTimings(sections, baseline?.timings ?? [], timings, limits.slowdownPercent);
  for (let again = 0; again < MEASURED_AGAIN && compared().some(({ status }) => status === "FAIL"); again += 1) {
    const others = await timeQueries(database, config, sections, signal);
    timings = timings.map((timing) => {
      const other = others.find(({ name }) => name === timing.name);
      return other !== undefined && pace(other) < pace(timing) ? other : timing;
    });
  }
  return [...results, ...compared()];
}

/** How long a query takes, told in runs of the control query. */
const pace = ({ medianMs, controlMs }: Timing): number => medianMs / Math.max(controlMs, 0.001);
