/**
 * What identifies a plan: the desired state, the stack's settings, the target's catalog and this version, as
 * short hashes. Which files make up the desired state is given.
 */
import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../core/errors.ts";
import { type Properties, UNKNOWN, type Value } from "../core/resourceType.ts";

/** Hexadecimal digits of each part. */
const LENGTH = 10;

/** The parts in the order in which they are joined, in words of a message. */
const PARTS = {
  desired: "the files of the program",
  settings: "the settings of the stack",
  target: "the catalog of the target",
  version: "the version of pgstrata",
} as const;

export type PlanDigest = Readonly<Record<keyof typeof PARTS, string>>;

const keys = ["desired", "settings", "target", "version"] as const;

/** The hash of a text, as long as a part of a digest. */
export const shortHash = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, LENGTH);

/** As it is printed and pinned. */
export const joined = (digest: PlanDigest): string => keys.map((key) => digest[key]).join("-");

/** Which parts of an approved digest differ, in words; undefined for a text that is none. */
export function differences(approved: string, digest: PlanDigest): string[] | undefined {
  const parts = approved.trim().split("-");
  if (parts.length !== keys.length || parts.some((part) => !/^[0-9a-f]{10}$/.test(part))) return undefined;
  return keys.flatMap((key, n) => (parts[n] === digest[key] ? [] : [PARTS[key]]));
}

/** The hash of settings, whatever the order of their names. */
export const settingsHash = (settings: Properties): string => shortHash(canonical(settings));

function canonical(value: Value): string {
  if (value === UNKNOWN) return "unknown";
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(",")}}`;
}

/**
 * The hash of all files of these paths, with their names. Ends of lines count alike on all systems.
 *
 * @param paths files and folders, from the project directory.
 * @throws {UserError} for a path that leads nowhere.
 */
export async function filesHash(paths: readonly string[], directory: string): Promise<string> {
  const found = await Promise.all(paths.map((path) => filesOf(path, directory)));
  const names = [...new Set(found.flat())].sort();
  const texts = await Promise.all(names.map((name) => readFile(join(directory, name))));
  const hash = createHash("sha256");
  for (const [n, name] of names.entries()) {
    const content = createHash("sha256").update(withoutReturns(texts[n] ?? Buffer.of()));
    hash.update(`${name}\0${content.digest("hex")}\n`);
  }
  return hash.digest("hex").slice(0, LENGTH);
}

async function filesOf(path: string, directory: string): Promise<string[]> {
  const found = await stat(join(directory, path)).catch(() => undefined);
  if (found === undefined) {
    throw new UserError("PS601", `found nothing at ${path}, expected a file or a folder of the program`, {
      property: "sources",
    });
  }
  if (!found.isDirectory()) return [path];
  const entries = await readdir(join(directory, path), { recursive: true, withFileTypes: true });
  const start = join(directory, "/").length;
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(start).replaceAll("\\", "/"));
}

function withoutReturns(bytes: Buffer): Buffer | string {
  return bytes.includes("\r\n") ? bytes.toString("latin1").replaceAll("\r\n", "\n") : bytes;
}
