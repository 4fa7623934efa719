import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { processIdentity } from "../../provider/embedded/processes.ts";

export interface ProcessEntry {
  pid: number;
  command: string;
  /** Tells this process from a later one of the same number. */
  identity: string | undefined;
}

/** All processes that a process started, and those that they started. */
export function descendants(root: number): ProcessEntry[] {
  const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid=,args="], { encoding: "utf8" }).trim().split("\n");
  const all = lines.flatMap((line) => {
    const [, pid, parent, command = ""] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return pid === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), command }];
  });
  const found: ProcessEntry[] = [];
  const parents = [root];
  for (const parent of parents) {
    for (const { pid, command } of all.filter((entry) => entry.parent === parent)) {
      parents.push(pid);
      found.push({ pid, command, identity: processIdentity(pid) });
    }
  }
  return found;
}

/** Waits until the processes have ended; gives back those that have not. */
export async function stillRunning(processes: readonly ProcessEntry[], limitMs: number): Promise<ProcessEntry[]> {
  for (const end = Date.now() + limitMs; ; await sleep(50)) {
    const left = processes.filter(({ pid, identity }) => identity !== undefined && processIdentity(pid) === identity);
    if (left.length === 0 || Date.now() > end) return left;
  }
}
