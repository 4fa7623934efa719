import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject } from "vitest";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** Directory in which the files of a run leave their counts. */
    chaosCounts: string;
  }
}

/** What the kills of one kind came to. */
export interface Counts {
  victim: string;
  kills: number;
  converged: number;
  failed: number;
  /** Runs that ended before they came to the boundary. */
  notReached: number;
  /** How often other sessions looked for half a layer. */
  looks: number;
  notes: string[];
}

const PROGRESS_INTERVAL_MS = 10_000;

/**
 * Every n-th boundary only, for a shorter run: `PGSTRATA_CHAOS_SHARE=3 npm run test:chaos` takes a third of
 * them.
 */
const SHARE = Math.max(1, Number(process.env.PGSTRATA_CHAOS_SHARE ?? 1));

export function shareOf<T>(points: readonly T[]): T[] {
  return points.filter((_point, n) => n % SHARE === 0);
}

/** Counts for one victim, with a line of progress now and then. */
export function counter(victim: string, total: number) {
  const counts: Counts = { victim, kills: 0, converged: 0, failed: 0, notReached: 0, looks: 0, notes: [] };
  let done = 0;
  let told = 0;
  const save = (): void => {
    const name = `${victim.replaceAll(/\W+/g, "-")}.json`;
    writeFileSync(join(inject("chaosCounts"), name), JSON.stringify(counts));
  };
  return {
    counts,
    /** @param problems empty for a run that converged. */
    add(killedAt: string | undefined, looks: number, problems: readonly string[]): void {
      done += 1;
      counts.looks += looks;
      if (killedAt === undefined) counts.notReached += 1;
      else counts.kills += 1;
      if (problems.length > 0) counts.failed += 1;
      else if (killedAt !== undefined) counts.converged += 1;
      save();
      if (done < total && Date.now() - told < PROGRESS_INTERVAL_MS) return;
      told = Date.now();
      process.stderr.write(`${victim}: ${done} of ${total} boundaries, ${counts.failed} failed\n`);
    },
    save,
  };
}

/** Collects the counts of all files, and prints them at the end. */
export default function setup(project: TestProject): () => void {
  const directory = mkdtempSync(join(tmpdir(), "pgstrata-chaos-"));
  project.provide("chaosCounts", directory);
  return () => {
    const all = readdirSync(directory).map((name): Counts => JSON.parse(readFileSync(join(directory, name), "utf8")));
    rmSync(directory, { recursive: true, force: true });
    const rows = all.map(({ victim, kills, converged, failed, notReached, looks }) =>
      [victim.padEnd(32), kills, converged, failed, notReached, looks]
        .map(String)
        .map((cell) => cell.padStart(9))
        .join(" "),
    );
    const head = [
      "killed".padEnd(32),
      ...["kills", "converged", "failed", "missed", "looks"].map((cell) => cell.padStart(9)),
    ];
    if (all.length === 0) return;
    console.log(SHARE === 1 ? "\nEvery boundary:" : `\nOne boundary of ${SHARE}:`);
    console.log(`${[head.join(" "), ...rows].join("\n")}`);
    for (const note of all.flatMap(({ notes }) => notes)) console.log(note);
  };
}
