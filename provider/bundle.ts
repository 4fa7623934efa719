/**
 * Where the provider lies as one bundle, which starts in less time than its files. The set-up makes it
 * (`tools/setup/bundleProvider.ts`).
 */
import { createHash } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** The folder of all bundles of a checkout. */
export const bundlesOf = (root: string): string => join(root, ".pgstrata", "bundle");

/**
 * The bundle of the files as they are now, made or not. Its folder is named after their sizes and times, so
 * that one of other files is never started.
 *
 * @returns the folder, and the entry in it, which exports what `protocol/run.ts` does.
 */
export function bundleOf(root: string): { folder: string; entry: string } {
  const hash = createHash("sha256");
  const provider = readdirSync(join(root, "provider"), { recursive: true, encoding: "utf8" });
  const files = provider.filter((file) => file.endsWith(".ts")).map((file) => join("provider", file));
  for (const file of ["project.ts", "package-lock.json", ...files.sort()]) {
    const stat = statSync(join(root, file), { throwIfNoEntry: false });
    // Copies of files keep their times to the millisecond.
    hash.update(`${file}\0${stat?.size}\0${Math.round(stat?.mtimeMs ?? 0)}\n`);
  }
  const folder = join(bundlesOf(root), hash.digest("hex").slice(0, 16));
  return { folder, entry: join(folder, "run.js") };
}
