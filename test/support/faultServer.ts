import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isAlive } from "../../provider/embedded/processes.ts";
import { type EmbeddedServer, freePort, startEmbeddedServer } from "../../provider/embedded/server.ts";
import { majorVersion } from "./majorVersion.ts";

/** A server of one test, which may be stopped, crash and start again on the same port. */
export interface FaultServer {
  url(database: string): string;
  port: number;
  /** Its data directory. */
  data: string;
  /** `immediate`: as a crash; what was committed is recovered at the next start. */
  stop(mode?: "fast" | "immediate"): Promise<void>;
  /** Refuses new connections, and ends once the open ones have. */
  shutDownSmart(): Promise<void>;
  /** Starts again after a stop, with other settings if given. */
  start(settings?: Readonly<Record<string, string>>): Promise<void>;
  remove(): Promise<void>;
}

/**
 * @param options.home where its files lie; default a new directory, which is removed with it.
 * @param options.settings of the server; what is committed need not survive a crash of the machine.
 */
export async function startFaultServer(
  options: { home?: string; settings?: Readonly<Record<string, string>> } = {},
): Promise<FaultServer> {
  const home = options.home ?? mkdtempSync(join(tmpdir(), "pgstrata-fault-"));
  chmodSync(home, 0o755);
  const port = await freePort();
  let settings = options.settings ?? {};
  const launch = (): Promise<EmbeddedServer> =>
    startEmbeddedServer({ directory: home, majorVersion, port, settings: { fsync: "off", ...settings } });
  let running = await launch();
  const data = join(running.directory, "data");
  const signal = async (name: NodeJS.Signals): Promise<void> => {
    const pid = Number(readFileSync(join(data, "postmaster.pid"), "utf8").split("\n")[0]);
    process.kill(pid, name);
    if (name !== "SIGTERM") while (isAlive(pid)) await sleep(10);
  };
  return {
    url: (database) => running.url(database),
    port,
    data,
    stop: async (mode = "fast") => {
      await signal(mode === "fast" ? "SIGINT" : "SIGQUIT");
      await running.stop();
    },
    shutDownSmart: () => signal("SIGTERM"),
    start: async (changed) => {
      settings = changed ?? settings;
      running = await launch();
    },
    remove: async () => {
      await running.stop();
      if (options.home === undefined) rmSync(home, { recursive: true, force: true });
    },
  };
}
