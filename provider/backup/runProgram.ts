/**
 * How another program is run to its end, or until its time is over or the run is cancelled. Its output goes
 * to a file or is handed back; what it says is left to the caller, and never shown as it is.
 */
import { spawn } from "node:child_process";

export interface ProgramOptions {
  /** The whole environment of the program. */
  env: Readonly<Record<string, string>>;
  cwd?: string;
  /** File descriptors. Default: no input, and output that is handed back. */
  stdin?: number;
  stdout?: number;
  signal: AbortSignal;
  /** Milliseconds; 0 for no limit. */
  timeoutMs: number;
}

export interface ProgramResult {
  /** Undefined where it was ended by a signal or did not start. */
  exitCode: number | undefined;
  stdout: string;
  stderr: string;
  hasTimedOut: boolean;
  /** Why it did not start, such as `ENOENT`. */
  startError: string | undefined;
}

/** What is kept of an output; the rest is read and dropped. */
const LONGEST_OUTPUT = 16 * 2 ** 20;
/** How long a program may take to end itself. */
const GRACE_MS = 3000;

/**
 * A failure is a result.
 *
 * @throws the reason of `signal`, once the program has ended.
 */
export async function runProgram(
  file: string,
  parameters: readonly string[],
  { env, cwd, stdin, stdout, signal, timeoutMs }: ProgramOptions,
): Promise<ProgramResult> {
  signal.throwIfAborted();
  const result = await new Promise<ProgramResult>((resolve) => {
    // A process group of its own, so that what it starts ends with it.
    const child = spawn(file, parameters, {
      env: { ...env },
      cwd,
      stdio: [stdin ?? "ignore", stdout ?? "pipe", "pipe"],
      detached: true,
    });
    const said = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name]?.setEncoding("utf8").on("data", (text: string) => {
        if (said[name].length < LONGEST_OUTPUT) said[name] += text;
      });
    }
    let hasTimedOut = false;
    const end = (): void => {
      sendToGroup(child.pid, "SIGTERM");
      setTimeout(() => sendToGroup(child.pid, "SIGKILL"), GRACE_MS).unref();
    };
    const limit =
      timeoutMs === 0
        ? undefined
        : setTimeout(() => {
            hasTimedOut = true;
            end();
          }, timeoutMs);
    signal.addEventListener("abort", end, { once: true });
    const finish = (exitCode: number | undefined, startError?: string): void => {
      clearTimeout(limit);
      signal.removeEventListener("abort", end);
      resolve({ exitCode, ...said, hasTimedOut, startError });
    };
    child.once("error", (error) => finish(undefined, "code" in error ? String(error.code) : error.message));
    child.once("close", (code) => finish(code ?? undefined));
  });
  signal.throwIfAborted();
  return result;
}

/** How a program ended, behind "ended with". */
export const endOf = ({ exitCode }: ProgramResult): string =>
  exitCode === undefined ? "a signal" : `exit code ${exitCode}`;

function sendToGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended.
  }
}
