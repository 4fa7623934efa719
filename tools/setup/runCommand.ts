/** How another program is run to its end, with a time-out that ends its children as well. */
import { spawn } from "node:child_process";
import type { Environment } from "./layout.ts";

export interface CommandOptions {
  readonly cwd?: string;
  /** The whole environment of the program. */
  readonly env: Environment;
  /** After this many milliseconds the program and its children are ended. @default no limit */
  readonly timeoutMs?: number;
  /** Ends the program. */
  readonly signal?: AbortSignal;
  /** Called now and then while the program runs, so that a long one is not silent. */
  readonly onHeartbeat?: (elapsedSeconds: number) => void;
  /** @default 15000 */
  readonly heartbeatMs?: number;
}

export interface CommandResult {
  /** Zero only for success; -1 when the program could not be started, was ended, or ran out of time. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

/** Runs a program to its end, without a terminal. A failure is a result, not an exception. */
export function runCommand(
  program: string,
  parameters: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const started = Date.now();
    const child = spawn(program, parameters, {
      cwd: options.cwd,
      env: { ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
      signal: options.signal,
      // A process group of its own, so that a time-out also ends the children, such as a shell's curl.
      detached: options.timeoutMs !== undefined,
    });
    let stdout = "";
    let stderr = "";
    let timedOut = false;
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    const endGroup = () => {
      if (child.pid !== undefined && child.exitCode === null) {
        process.kill(-child.pid, "SIGTERM");
      }
    };
    // A group of its own does not get the terminal's Ctrl-C.
    const onInterrupt = () => {
      endGroup();
      process.kill(process.pid, "SIGINT");
    };
    if (options.timeoutMs !== undefined) {
      process.once("SIGINT", onInterrupt);
    }
    const heartbeat = setInterval(
      () => options.onHeartbeat?.(Math.round((Date.now() - started) / 1000)),
      options.heartbeatMs ?? 15_000,
    );
    const limit =
      options.timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            endGroup();
          }, options.timeoutMs);
    const finish = (exitCode: number, note = "") => {
      clearInterval(heartbeat);
      clearTimeout(limit);
      process.removeListener("SIGINT", onInterrupt);
      resolve({ exitCode, stdout, stderr: stderr + note, timedOut });
    };
    child.once("error", (error) => finish(-1, error.message));
    child.once("close", (code) => finish(code ?? -1));
  });
}
