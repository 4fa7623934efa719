import { execa } from "execa";

/** A process that ended. */
export interface Outcome {
  exitCode: number;
  /** From start to end of the process. */
  wallMs: number;
  output: string;
}

/** A tool that hangs is a result too. */
const TIMEOUT_MS = 300_000;

/** Runs a program to its end; a failure is a result, not an exception. */
export async function command(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: Readonly<Record<string, string>>; timeoutMs?: number } = {},
): Promise<Outcome> {
  const { env = {}, timeoutMs = TIMEOUT_MS, ...rest } = options;
  const started = performance.now();
  const result = await execa(program, args, {
    ...rest,
    env,
    stdin: "ignore",
    all: true,
    reject: false,
    timeout: timeoutMs,
    maxBuffer: 2 ** 28,
  });
  const wallMs = performance.now() - started;
  const note = result.timedOut ? `\nended after ${timeoutMs / 1000} s` : "";
  // A program that could not be started has no output but a message.
  const output =
    result.exitCode === undefined ? `${result.all ?? ""}\n${result.shortMessage ?? ""}${note}` : result.all;
  return { exitCode: result.exitCode ?? -1, wallMs, output };
}

/** As {@link command}, for steps that must not fail. */
export async function succeed(...parameters: Parameters<typeof command>): Promise<Outcome> {
  const outcome = await command(...parameters);
  if (outcome.exitCode === 0) return outcome;
  throw new Error(`${parameters[0]} ended with ${outcome.exitCode}: ${errorLine(outcome.output)}`);
}

/** The line of a program's output that says what went wrong, without the folders of this machine. */
export function errorLine(output: string): string {
  const lines = output
    .split("\n")
    .map((line) => line.trim().replaceAll(/(?<![\w./])\/(?:[\w.-]+\/)+/g, ""))
    .filter((line) => line !== "");
  const patterns = [/\b(error|severe|fatal|exception|panic|failed)\b.*:\s*\S/i, /error|exception|fail|could not/i];
  for (const pattern of patterns) {
    const found = lines.find((line) => pattern.test(line));
    if (found !== undefined) return found;
  }
  return lines.at(-1) ?? "no output";
}
