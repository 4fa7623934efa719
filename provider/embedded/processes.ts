/** Whether a process lives, and whether it is still the one that was started. Knows nothing of Postgres. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** Whether a process of this number exists, of any owner. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/**
 * The command line of a process, its arguments joined by blanks. Empty when the process has ended (also while
 * nobody has collected its exit code) and undefined when it may not be read.
 */
export function commandLine(pid: number): string | undefined {
  if (!isAlive(pid)) return "";
  try {
    if (process.platform === "linux") return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
    return execFileSync("ps", ["-o", "command=", "-p", String(pid)], { encoding: "utf8" });
  } catch {
    return isAlive(pid) ? undefined : "";
  }
}

/**
 * Names one process for good: its number and the time it started, because numbers are used again. Undefined
 * when there is no such process, or only what is left of it until its exit code is collected.
 */
export function processIdentity(pid: number): string | undefined {
  try {
    const started = startTime(pid);
    return started === undefined ? undefined : `${pid}@${started}`;
  } catch {
    return undefined;
  }
}

function startTime(pid: number): string | undefined {
  if (process.platform !== "linux") {
    const started = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" });
    return started.trim().replaceAll(/\W+/g, "-");
  }
  // The second field is the program's name in brackets, which may hold blanks and brackets of its own.
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" ? undefined : fields[19];
}
