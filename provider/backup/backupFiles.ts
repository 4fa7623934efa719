/**
 * The files of backups: names, which ones are complete, which are kept, and what killed runs left behind.
 * What is in them is told by `record.ts`.
 */
import { createHash } from "node:crypto";
import { createReadStream, existsSync, writeFileSync } from "node:fs";
import { chmod, mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { isAlive } from "../embedded/processes.ts";
import { type Stored, storedBackup } from "./record.ts";

/** Within the time in a name only; a name of a stack or a database keeps its letters, digits and hyphens. */
const TIME = String.raw`\d{8}T\d{6}Z`;
const COMPLETE = new RegExp(`\\.${TIME}(\\.[0-9a-f-]+)?(-\\d+)?\\.(dump|state\\.json|json)$`);
const PARTIAL = new RegExp(
  `\\.${TIME}(\\.[0-9a-f-]+)?(-\\d+)?\\.(dump|state\\.json|json)\\.([\\w-]+)\\.(\\d+)\\.partial$`,
);
const HOST = hostname().replaceAll(/[^\w-]/g, "_");
/** No dump takes longer than its longest time-out. */
const ABANDONED_MS = 8 * 86_400_000;
/** Between the file of a dump and that of its record. */
const UNRECORDED_MS = 600_000;

/** Time as names have it: `20260131T235959Z`. */
export const stamp = (time: Date): string => time.toISOString().replaceAll(/[-:]|\.\d+/g, "");

/** `<stack>.<database>.<time>[.<digest>]`, with a number where that is taken. */
export async function newName(
  folder: string,
  parts: { stack: string; database: string; time: Date; planDigest: string | undefined },
): Promise<string> {
  const plain = (text: string): string => text.replaceAll(/[^\w-]/g, "_");
  const digest = parts.planDigest === undefined ? [] : [parts.planDigest.replaceAll(/[^0-9a-f-]/g, "")];
  const name = [plain(parts.stack), plain(parts.database), stamp(parts.time), ...digest].join(".");
  const taken = await readdir(folder);
  const isFree = (candidate: string): boolean => !taken.some((file) => file.startsWith(`${candidate}.`));
  if (isFree(name)) return name;
  for (let n = 2; ; n++) if (isFree(`${name}-${n}`)) return `${name}-${n}`;
}

/**
 * Makes the folder.
 *
 * @returns what is to be said of one that others can read.
 */
export async function prepareFolder(folder: string): Promise<string[]> {
  const made = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (made !== undefined) await chmod(folder, 0o700);
  const { mode } = await stat(folder);
  if ((mode & 0o077) === 0) return [];
  return [
    `the folder ${folder} has mode ${(mode & 0o777).toString(8)}, expected 700: others can see the names of backups; run chmod 700 on it`,
  ];
}

/** A file under a name that does not count yet; its final name comes with `complete`. */
export interface PartialFile {
  path: string;
  /** File descriptor. */
  fd: number;
  complete(): Promise<void>;
  /** Removes what is there, also after `complete`. */
  discard(): Promise<void>;
}

/** Opens `<folder>/<name>` to be written, with mode 0600. */
export async function partialFile(folder: string, name: string): Promise<PartialFile> {
  const final = join(folder, name);
  const path = `${final}.${HOST}.${process.pid}.partial`;
  const file = await open(path, "wx", 0o600);
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (isOpen) await file.close();
    isOpen = false;
  };
  return {
    path,
    fd: file.fd,
    async complete() {
      await file.sync();
      await close();
      await rename(path, final);
    },
    async discard() {
      await close();
      await rm(path, { force: true });
      await rm(final, { force: true });
    },
  };
}

/** Writes a whole file in one step. */
export async function writePrivate(folder: string, name: string, text: string): Promise<void> {
  const partial = await partialFile(folder, name);
  try {
    writeFileSync(partial.fd, text);
    await partial.complete();
  } catch (error) {
    await partial.discard();
    throw error;
  }
}

export async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

/** What lies in a folder and in the folders in it. */
export interface FolderOfBackups {
  /** The complete ones, the newest first. */
  backups: Stored[];
  /** Paths of records that cannot be read; their backups do not count. */
  unreadable: string[];
}

export async function listFolder(folder: string): Promise<FolderOfBackups> {
  const entries = existsSync(folder) ? await readdir(folder, { withFileTypes: true }) : [];
  const folders = [...entries.flatMap((entry) => (entry.isDirectory() ? [join(folder, entry.name)] : [])), folder];
  const found = (await Promise.all(folders.map(backupsIn))).flat();
  return {
    backups: found
      .filter((each) => typeof each !== "string")
      .sort((one, other) => other.record.takenAt.localeCompare(one.record.takenAt)),
    unreadable: found.filter((each) => typeof each === "string").sort(),
  };
}

/** The complete backups of a folder and of the folders in it, the newest first. */
export const listBackups = async (folder: string): Promise<Stored[]> => (await listFolder(folder)).backups;

/** The complete backups of a folder, in no order, and the paths of records that cannot be read. */
async function backupsIn(folder: string): Promise<(Stored | string)[]> {
  const names = existsSync(folder) ? await readdir(folder) : [];
  const read = names
    .filter((name) => COMPLETE.test(name) && name.endsWith(".json") && !name.endsWith(".state.json"))
    .map(async (name): Promise<(Stored | string)[]> => {
      const path = join(folder, name);
      const record = await readRecord(path);
      if (record === undefined) return [path];
      if (record.mode === "dump" && !names.includes(record.file)) return [];
      return [{ folder, record }];
    });
  return (await Promise.all(read)).flat();
}

async function readRecord(path: string): Promise<Stored["record"] | undefined> {
  try {
    return storedBackup.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    return undefined;
  }
}

/** Removes the files of one backup, its record first, so that a part of it never counts. */
export async function removeFiles({ folder, record }: Stored): Promise<void> {
  const files = [`${record.name}.json`, ...(record.mode === "dump" ? [record.file] : []), record.state];
  for (const file of files) if (file !== undefined) await rm(join(folder, file), { force: true });
}

/**
 * Removes what runs that were killed have left half-written.
 *
 * @returns the names of the files that are gone.
 */
export async function sweep(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  const removed: string[] = [];
  const remove = async (name: string): Promise<void> => {
    await rm(join(folder, name), { force: true });
    removed.push(name);
  };
  for (const name of names) {
    const partial = PARTIAL.exec(name);
    const age = async (): Promise<number> => Date.now() - (await stat(join(folder, name))).mtimeMs;
    if (partial !== null) {
      const isOurs = partial[4] === HOST;
      const isDead = isOurs ? !isAlive(Number(partial[5])) : (await age()) > ABANDONED_MS;
      if (isDead) await remove(name);
    } else if (COMPLETE.test(name) && !hasRecord(names, name) && (await age()) > UNRECORDED_MS) await remove(name);
  }
  return removed;
}

const hasRecord = (names: readonly string[], name: string): boolean =>
  names.includes(name.replace(/\.(dump|state\.json|json)$/, ".json"));
