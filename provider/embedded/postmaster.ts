/**
 * Which process holds a data directory, and how a server of ours is stopped. A process that is not provably
 * ours is never ended.
 */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { commandLine } from "./processes.ts";

/** Arguments by which a server that we started is known as ours: who answers for it, and its version. */
export const OWNER_SETTING = "pgstrata.owner";
export const VERSION_SETTING = "pgstrata.version";

/** What `postmaster.pid` says. */
export interface PostmasterFile {
  pid: number;
  port: number;
  ready: boolean;
  /** The file's text: tells one start of a server from the next. */
  text: string;
}

/**
 * Who holds a data directory. `foreign` is a live process that is not provably a server of ours: never to be
 * ended.
 */
export type Holder =
  | { kind: "nobody" }
  | { kind: "ours"; owner: string; version: string; file: PostmasterFile }
  | { kind: "foreign"; pid: number };

/** Reads `postmaster.pid`; undefined when there is none, or none that is complete. */
export function readPostmasterFile(data: string): PostmasterFile | undefined {
  try {
    const text = readFileSync(join(data, "postmaster.pid"), "utf8");
    const lines = text.split("\n");
    const pid = Number(lines[0]);
    if (!Number.isInteger(pid) || pid <= 1) return undefined;
    return { pid, port: Number(lines[3]), ready: lines[7]?.trim() === "ready", text };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * Who holds the data directory now. A file left by a server that was killed, whose process number has since
 * gone to another program, is removed: Postgres itself only looks whether the number is in use, and would
 * refuse to start.
 */
export function findHolder(data: string): Holder {
  const file = readPostmasterFile(data);
  if (file === undefined) return { kind: "nobody" };
  const command = commandLine(file.pid);
  if (command === "") return { kind: "nobody" };
  if (command?.includes(` -D ${data} `) === true) {
    const owner = settingIn(command, OWNER_SETTING);
    const version = settingIn(command, VERSION_SETTING);
    if (owner !== undefined && version !== undefined) return { kind: "ours", owner, version, file };
  }
  if (command === undefined || command.includes("postgres")) return { kind: "foreign", pid: file.pid };
  rmSync(join(data, "postmaster.pid"), { force: true });
  return { kind: "nobody" };
}

function settingIn(command: string, name: string): string | undefined {
  const argument = command.split(" ").find((word) => word.startsWith(`${name}=`));
  return argument?.slice(name.length + 1);
}

/**
 * Stops a server of ours: open transactions are rolled back, clients are disconnected.
 *
 * @returns whether it has ended within the time.
 */
export async function stopPostmaster(data: string, timeoutMs = 15_000): Promise<boolean> {
  const holder = findHolder(data);
  if (holder.kind !== "ours") return holder.kind === "nobody";
  const { pid } = holder.file;
  if (!signal(pid, "SIGINT")) return false;
  for (const end = Date.now() + timeoutMs; Date.now() < end; await sleep(5)) {
    const now = findHolder(data);
    if (now.kind === "nobody" || (now.kind === "ours" && now.file.pid !== pid)) return true;
  }
  return false;
}

function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ESRCH";
  }
}
