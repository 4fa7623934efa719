/**
 * Where the provider and the program lie as one bundle each, which start in less time than their files. The
 * set-up makes them (`tools/setup/bundles.ts`).
 */
import { createHash } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** What a bundle may be made of: files, and folders with all their TypeScript. */
const SOURCES = {
  provider: ["project.ts", "package-lock.json", "provider"],
  program: ["index.ts", "project.ts", "package-lock.json", "components", "programs", "provider", "tools"],
};

export type Bundled = keyof typeof SOURCES;

/** The folder of all bundles of a checkout. */
export const bundlesOf = (root: string): string => join(root, ".pgstrata", "bundle");

/**
 * The bundle of the files as they are now, made or not. Its folder is named after their sizes and times, so
 * that one of other files is never started.
 *
 * @returns the folder, and the entry in it: for the provider it exports what `protocol/run.ts` does, for the
 *   program it is the SDK's, which runs a program; that is `program.js` beside it.
 */
export function bundleOf(root: string, what: Bundled): { folder: string; entry: string } {
  const hash = createHash("sha256");
  for (const file of sourcesOf(root, what)) {
    const stat = statSync(join(root, file), { throwIfNoEntry: false });
    // Copies of files keep their times to the millisecond.
    hash.update(`${file}\0${stat?.size}\0${Math.round(stat?.mtimeMs ?? 0)}\n`);
  }
  const folder = join(bundlesOf(root), `${what}-${hash.digest("hex").slice(0, 16)}`);
  return { folder, entry: join(folder, "run.js") };
}

/** All files whose changes make another bundle, seen from the checkout; no other file of it may be in one. */
export const sourcesOf = (root: string, what: Bundled): string[] =>
  SOURCES[what].flatMap((source) => filesOf(root, source));

function filesOf(root: string, source: string): string[] {
  if (source.includes(".")) return [source];
  return readdirSync(join(root, source), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .sort()
    .map((file) => join(source, file));
}
