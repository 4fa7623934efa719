/**
 * Where the time of a run goes, for the benchmark: each process adds up its stages in a file. Without that
 * directory nothing is measured.
 */
import { writeFileSync } from "node:fs";

/** Where the time of a run goes. `start`: from the process's start until the engine has its port. */
export type Stage = "start" | "shadow" | "extract" | "plan" | "rehearsal" | "apply" | "rows" | "verification";

/**
 * For the benchmark: a directory, in which each process keeps a file of its own with stage → milliseconds.
 */
const directory = process.env.PGSTRATA_TIMINGS;
const totals: Partial<Record<Stage, number>> = {};

/** Adds what the task takes to its stage. */
export async function timed<T>(stage: Stage, task: () => Promise<T>): Promise<T> {
  const started = performance.now();
  try {
    return await task();
  } finally {
    addTime(stage, performance.now() - started);
  }
}

/** @param elapsedMs milliseconds. */
export function addTime(stage: Stage, elapsedMs: number): void {
  totals[stage] = (totals[stage] ?? 0) + elapsedMs;
  // Written at once, because nobody tells a provider when it is about to be ended.
  if (directory !== undefined && directory !== "")
    writeFileSync(`${directory}/${process.pid}.json`, JSON.stringify(totals));
}
