/** What the last set-up installed, and whether that still holds. */
import { readFileSync, statSync } from "node:fs";
import { z } from "zod";
import type { Layout } from "./layout.ts";
import { type Part, partDigest } from "./parts.ts";
import { placeText } from "./place.ts";

const installedSchema = z.object({
  name: z.enum(["cli", "language-nodejs", "random", "postgresql"]),
  version: z.string(),
  /** `path`: found on PATH · `official`: downloaded · `built`: from the Go module proxy */
  source: z.enum(["path", "official", "built"]),
  path: z.string(),
  /** What a built part was built from; null for the others. */
  digest: z.string().nullable(),
  size: z.number(),
  mtimeMs: z.number(),
});

/** Raised when what lies beside an executable changes, such as the wrapper of the language host. */
const FORMAT = 2;

const recordSchema = z.object({ format: z.literal(FORMAT), parts: z.array(installedSchema) });

/** One executable as the set-up left it. */
export type InstalledPart = z.infer<typeof installedSchema>;

/** @returns what the last set-up left, or nothing where there was none or its record cannot be read. */
export function readRecord(layout: Layout): readonly InstalledPart[] {
  try {
    return recordSchema.parse(JSON.parse(readFileSync(layout.record, "utf8"))).parts;
  } catch {
    return [];
  }
}

export function writeRecord(layout: Layout, parts: readonly InstalledPart[]): void {
  placeText(layout.record, `${JSON.stringify({ format: FORMAT, parts }, null, 2)}\n`, 0o644);
}

/** Describes an executable that now lies in its place. */
export function describePart(root: string, part: Part, source: InstalledPart["source"], path: string): InstalledPart {
  const { size, mtimeMs } = statSync(path);
  const digest = source === "built" ? partDigest(root, part) : null;
  return { name: part.name, version: part.version, source, path, digest, size, mtimeMs };
}

/** Whether an executable is there, of the pinned version and, if it was built, of the present sources. */
export function isCurrent(root: string, part: Part, installed: InstalledPart): boolean {
  const stat = statSync(installed.path, { throwIfNoEntry: false });
  return (
    stat !== undefined &&
    installed.version === part.version &&
    (installed.source !== "built" || installed.digest === partDigest(root, part))
  );
}

/** Whether an executable is still the very file that was recorded. */
export function isUntouched(installed: InstalledPart): boolean {
  const stat = statSync(installed.path, { throwIfNoEntry: false });
  return stat !== undefined && stat.size === installed.size && stat.mtimeMs === installed.mtimeMs;
}
