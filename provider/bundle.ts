/**
 * Where the provider and the program lie as one bundle each, which start in less time than their files, and
 * whether one is of the files as they are. The set-up makes them (`tools/setup/bundles.ts`).
 */
import { createHash } from "node:crypto";
import { readFileSync, realpathSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";

export type Bundled = "provider" | "program";

/** The folder of all bundles of a checkout. */
export const bundlesOf = (root: string): string => join(root, ".pgstrata", "bundle");

/** Which bundle is the present one, of which files. */
export const noteOf = (root: string, what: Bundled): string => join(bundlesOf(root), `${what}.txt`);

/** A line of the note: the bundle's folder, a file in it, or a file that it was made of. */
type Line =
  | readonly ["folder", name: string]
  | readonly ["part", name: string, size: string]
  | readonly ["source", path: string, size: string, written: string, changed: string, digest: string];

/** Names with a tab or an end of line are read as other ones, of which there is no file. */
export const noteText = (lines: readonly Line[]): string => lines.map((line) => `${line.join("\t")}\n`).join("");

export const digestOf = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");

/**
 * The line of a file that a bundle is made of.
 *
 * @param path seen from the checkout; also of a package, or outside of both.
 */
export function sourceLine(root: string, path: string): Line {
  const file = join(root, path);
  const { size, mtimeMs, ctimeMs } = statSync(file);
  return ["source", path, String(size), String(mtimeMs), String(ctimeMs), digestOf(file)];
}

/**
 * The folder of the bundle, where it is whole and all files of which it was made are as they were; undefined
 * where there is none. Its `run.js` exports what `protocol/run.ts` does for the provider; for the program it
 * is the SDK's, which runs a program, and that is `program.js` beside it.
 */
export function currentBundle(root: string, what: Bundled): string | undefined {
  let folder: string | undefined;
  try {
    // That of another checkout has the program's other files from there.
    if (realpathSync(bundlesOf(root)) !== bundlesOf(realpathSync(root))) return undefined;
    for (const line of readFileSync(noteOf(root, what), "utf8").trimEnd().split("\n")) {
      const [kind = "", name = "", ...noted] = line.split("\t");
      if (kind === "folder") folder = join(bundlesOf(root), name);
      else if (!(kind === "part" ? isPart(join(folder ?? "", name), noted) : isAsNoted(join(root, name), noted)))
        return undefined;
    }
  } catch {
    return undefined;
  }
  return folder;
}

const statOf = (path: string): Stats | undefined => statSync(path, { throwIfNoEntry: false });

const isPart = (path: string, [size]: readonly string[]): boolean => String(statOf(path)?.size) === size;

/** The time of a change cannot be set. One that differs, as of a copy, says nothing; the content does. */
function isAsNoted(path: string, [size, written, changed, digest]: readonly string[]): boolean {
  const found = statOf(path);
  if (String(found?.size) !== size) return false;
  return (String(found?.mtimeMs) === written && String(found?.ctimeMs) === changed) || digestOf(path) === digest;
}
