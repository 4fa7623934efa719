/** The changes of `test/corpus/`, shared out among the suites that take them. */
import { readdirSync } from "node:fs";
import { join } from "node:path";

export const CORPUS = join(import.meta.dirname, "..", "corpus");

/**
 * The names of a third of the cases, another one for each share, so that each case is met by one suite in
 * every run of the tests; all of them by `npm run test:corpus`.
 */
export function corpusCases(share: 0 | 1 | 2): string[] {
  const all = readdirSync(CORPUS).sort();
  return process.env.PGSTRATA_CORPUS === "all" ? all : all.filter((_, n) => n % 3 === share);
}
