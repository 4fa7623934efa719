/** The figures of the procedure as a Markdown table. */

/** One stage or command, and how long it took each time. */
export interface Measured extends Stage {
  times: number[];
}

export interface Stage {
  what: string;
  /** Milliseconds that are aimed at, and those that are allowed; undefined where there are none. */
  aimMs: number | undefined;
  budgetMs: number | undefined;
}

export function addTo(measured: Measured[], stage: Stage, elapsedMs: number): void {
  const known = measured.find(({ what }) => what === stage.what);
  if (known === undefined) measured.push({ ...stage, times: [elapsedMs] });
  else known.times.push(elapsedMs);
}

/** @param many undefined entries stay empty. */
export function asTable(seed: readonly Measured[], many: readonly Measured[], rows: number): string {
  const stages = (seed.length > 0 ? seed : many).map((one) => ({
    ...one,
    seed: seed.find(({ what }) => what === one.what)?.times ?? [],
    many: many.find(({ what }) => what === one.what)?.times ?? [],
  }));
  return [
    `| what | aim | budget | at seed size | with ${rows.toLocaleString("en-US")} rows |`,
    "|---|--:|--:|--:|--:|",
    ...stages.map(
      (one) =>
        `| ${one.what} | ${limit(one.aimMs)} | ${limit(one.budgetMs)} | ${cell(one.seed, one.aimMs ?? one.budgetMs)} | ${cell(one.many, one.aimMs ?? one.budgetMs)} |`,
    ),
  ].join("\n");
}

const limit = (ms: number | undefined): string =>
  ms === undefined ? "" : ms < 60_000 ? `≤ ${ms / 1000} s` : `≤ ${ms / 60_000} min`;

/** A figure that misses its limit is bold. */
function cell(times: readonly number[], limitMs: number | undefined): string {
  if (times.length === 0) return "";
  const median = medianOf(times);
  const text = seconds(median);
  const spread = times.length === 1 ? "" : ` (${seconds(Math.min(...times))} to ${seconds(Math.max(...times))})`;
  return limitMs !== undefined && median > limitMs ? `**${text}**${spread}` : `${text}${spread}`;
}

export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
