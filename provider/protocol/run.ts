/**
 * How the process lives and ends: the port on stdout, redacted stderr, the engine's signals. Serving calls is
 * left to `server.ts`.
 */
import { fstatSync } from "node:fs";
import { shownError } from "../core/errors.ts";
import { addTime } from "../core/timing.ts";
import { createRedactor, type Redactor } from "./redactor.ts";
import { serve } from "./server.ts";

/** The engine kills a plugin that has not ended after five seconds. */
const LONGEST_STOP_MS = 4_000;

/**
 * Runs the provider until the engine ends it: by a signal, or by going away, which closes our standard input.
 * The engine reads the port from the first line of standard output; nothing else is ever written there.
 */
export async function run(args: string[]): Promise<void> {
  const redactor = createRedactor();
  redactStderr(redactor);
  const server = await serve(redactor, engineAddressOf(args));

  let stopping = false;
  const stop = (exitCode: number): void => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(exitCode), LONGEST_STOP_MS).unref();
    server.stop().then(
      () => process.exit(exitCode),
      () => process.exit(exitCode),
    );
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop(0));
  process.on("uncaughtException", (error) => {
    process.stderr.write(`${error.stack ?? error.message}\n${shownError(error)}\n`);
    stop(1);
  });
  if (stdinIsHeld()) process.stdin.resume().on("end", () => stop(0));

  process.stdout.write(`${server.port}\n`);
  addTime("start", performance.now());
}

/** Covers what libraries and Node itself write, too. */
function redactStderr(redactor: Redactor): void {
  const write = process.stderr.write.bind(process.stderr);
  process.stderr.write = (
    chunk: Uint8Array | string,
    encoding?: BufferEncoding | ((error?: Error | null) => void),
    callback?: (error?: Error | null) => void,
  ): boolean => {
    const text = typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8");
    return write(redactor.redact(text), typeof encoding === "function" ? encoding : callback);
  };
}

/** The engine passes logging flags first and its own address last. */
function engineAddressOf(args: string[]): string | undefined {
  const last = args.at(-1);
  return last && /^[^-].*:\d+$/.test(last) ? last : undefined;
}

/** An engine holds a pipe open as long as it lives. A terminal or /dev/null says nothing about that. */
function stdinIsHeld(): boolean {
  try {
    const stdin = fstatSync(0);
    return stdin.isFIFO() || stdin.isSocket();
  } catch {
    return false;
  }
}
