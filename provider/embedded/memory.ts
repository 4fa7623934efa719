/** When a throw-away data directory is copied into memory, and how abandoned copies are removed. */
import { execFile } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statfsSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Cluster } from "./cluster.ts";
import { stopPostmaster } from "./postmaster.ts";
import { processIdentity } from "./processes.ts";

/** A file system in memory, on Linux; containers mostly have a small one. */
const MEMORY = "/dev/shm";

/** `f_type` of tmpfs, `statfs(2)`. */
const TMPFS = 0x01021994;

/** A schema of 5,000 tables with their indexes takes 0.4 GB, and what the server logs of it as much again. */
const LEAST_ROOM_BYTES = 2 * 2 ** 30;

/** For the end of an abandoned server. One that takes longer is removed by a later start. */
const PATIENCE_MS = 2000;

const PREFIX = `pgstrata-${hostname().replaceAll(/[^\w.]/g, "_")}-`;
const execute = promisify(execFile);

/**
 * A copy in memory of a data directory on which no server runs: a server makes six files for a table with its
 * indexes, and on a disk that takes as long as all else that it does for it. Made in 50 ms, from the 40 MB of
 * a new data directory.
 *
 * @returns undefined where the machine has no such file system, or less than 2 GiB left.
 */
export async function copyInMemory(cluster: Cluster): Promise<Cluster | undefined> {
  if (!hasRoom()) return undefined;
  await removeAbandoned();
  const home = mkdtempSync(join(MEMORY, `${PREFIX}${processIdentity(process.pid)}-`));
  try {
    // The account that runs the server must get to the data, which no other user can read.
    chmodSync(home, 0o711);
    const data = join(home, "data");
    await execute("cp", ["-a", cluster.data, data]);
    return { ...cluster, home, data };
  } catch {
    removeCopy(home);
    return undefined;
  }
}

/** Gives the memory back. */
export function removeCopy(home: string): void {
  rmSync(home, { recursive: true, force: true });
}

function hasRoom(): boolean {
  if (process.platform !== "linux" || !existsSync(MEMORY)) return false;
  const { type, bavail, bsize } = statfsSync(MEMORY);
  return type === TMPFS && bavail * bsize >= LEAST_ROOM_BYTES && process.availableMemory() >= LEAST_ROOM_BYTES;
}

/** What processes of ours left behind that were killed. */
async function removeAbandoned(): Promise<void> {
  for (const name of readdirSync(MEMORY).filter((entry) => entry.startsWith(PREFIX))) {
    const maker = /^(\d+)@\d+(?=-)/.exec(name.slice(PREFIX.length));
    if (maker === null || processIdentity(Number(maker[1])) === maker[0]) continue;
    const home = join(MEMORY, name);
    try {
      if (await stopPostmaster(join(home, "data"), PATIENCE_MS)) removeCopy(home);
    } catch {
      // Another user's.
    }
  }
}
