/** Runs `pulumi up` and follows its event log. What the events mean is left to `updateEvents.ts`. */
import { closeSync, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { missingCli } from "../lib/pulumi.ts";

const EVERY_MS = 100;
const CHUNK = 1 << 16;
/** Of the CLI's own output, for a failure that no event tells of. */
const LAST_LINES = 20;

export interface UpdateEnd {
  exitCode: number;
  /** Set where the CLI itself was ended. */
  signal: string | undefined;
  /** The end of what it printed. */
  output: string;
}

/**
 * The CLI gets a process group of its own: a Ctrl-C reaches it once, through this process. The second signal
 * ends it at once, in the middle of what it does.
 *
 * @param interrupts calls back for each signal to hand on.
 */
export async function runUpdate(options: {
  folder: string;
  env: NodeJS.ProcessEnv;
  args: readonly string[];
  onEvent(line: string): void;
  interrupts(hand: (signal: NodeJS.Signals) => void): void;
}): Promise<UpdateEnd> {
  const { folder, env, args, onEvent, interrupts } = options;
  const directory = mkdtempSync(join(tmpdir(), "pgstrata-update-"));
  const events = new LineReader(join(directory, "events.json"), onEvent);
  try {
    const child = execa(
      "pulumi",
      [
        "up",
        "--yes",
        "--skip-preview",
        "--non-interactive",
        "--color",
        "never",
        "--suppress-outputs",
        ...args,
        "--event-log",
        events.file,
      ],
      {
        ...{ cwd: folder, env: { ...env, PULUMI_DEBUG_COMMANDS: "true" }, extendEnv: false, reject: false },
        ...{ stdin: "ignore", all: true, detached: true },
      },
    );
    interrupts((signal) => void child.kill(signal));
    let isOver = false;
    const ending = child.then((result) => {
      isOver = true;
      return result;
    });
    while (!isOver) {
      await Promise.race([sleep(EVERY_MS), ending]);
      events.read();
    }
    const { exitCode, signal, code, all } = await ending;
    if (code === "ENOENT") throw missingCli();
    return { exitCode: exitCode ?? -1, signal, output: all.trim().split("\n").slice(-LAST_LINES).join("\n") };
  } finally {
    events.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The whole lines of a file that another process writes. */
class LineReader {
  readonly file: string;
  private readonly take: (line: string) => void;
  private descriptor: number | undefined;
  private rest = Buffer.alloc(0);

  constructor(file: string, take: (line: string) => void) {
    this.file = file;
    this.take = take;
  }

  read(): void {
    this.descriptor ??= opened(this.file);
    if (this.descriptor === undefined) return;
    const chunk = Buffer.alloc(CHUNK);
    for (let size = readSync(this.descriptor, chunk); size > 0; size = readSync(this.descriptor, chunk)) {
      const bytes = Buffer.concat([this.rest, chunk.subarray(0, size)]);
      const end = bytes.lastIndexOf("\n") + 1;
      this.rest = bytes.subarray(end);
      for (const line of bytes.toString("utf8", 0, end).split("\n")) if (line !== "") this.take(line);
    }
  }

  close(): void {
    if (this.descriptor !== undefined) closeSync(this.descriptor);
    this.descriptor = undefined;
  }
}

function opened(file: string): number | undefined {
  try {
    return openSync(file, "r");
  } catch {
    return undefined;
  }
}
