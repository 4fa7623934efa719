// Programs that listen on a port of loopback, in a folder of their own that goes with them.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { serverAccount } from "../../provider/embedded/account.ts";
import { accepts } from "./ports.ts";

export interface ServiceServer {
  /** What it has written. */
  output(): string;
  stop(): Promise<void>;
}

/** A folder that a server may write to, also one that refuses to run as root. */
export function serverFolder(name: string): { folder: string; give(path: string): void; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), `pgstrata-${name}-`));
  chmodSync(folder, 0o755);
  const account = serverAccount();
  const give = (path: string): void => {
    if (account !== undefined) chownSync(path, account.uid, account.gid);
  };
  give(folder);
  return { folder, give, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Runs a program until it accepts connections. It is stopped by SIGKILL: its data is of no worth. */
export async function startService(options: {
  program: string;
  args: readonly string[];
  folder: string;
  port: number;
  libraries?: string | undefined;
  env?: Readonly<Record<string, string>>;
}): Promise<ServiceServer> {
  const { program, args, folder, port, libraries, env } = options;
  const child: ChildProcess = spawn(program, args, {
    ...serverAccount(),
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env, ...(libraries !== undefined && { LD_LIBRARY_PATH: libraries }) },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (part) => (output += String(part)));
  const ended = once(child, "exit");
  const kill = () => void child.kill("SIGKILL");
  process.once("exit", kill);
  const stop = async (): Promise<void> => {
    process.off("exit", kill);
    child.kill("SIGKILL");
    await ended;
  };
  for (const deadline = Date.now() + 30_000; !(await accepts(port)); await sleep(20)) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`${program} does not listen on ${port}:\n${output}`);
    }
  }
  return { output: () => output, stop };
}
