/**
 * How a checkout or a shadow gets a running Postgres on loopback, its own or one that is kept running.
 * Binaries, data directory and process are left to the files beside it.
 */
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../core/errors.ts";
import { placeFor, serverAccount } from "./account.ts";
import { type Binaries, findBinaries } from "./binaries.ts";
import { type Cluster, openCluster, readCredentials } from "./cluster.ts";
import { explainFileError, StartFailure } from "./failures.ts";
import { launch } from "./launch.ts";
import { copyInMemory, removeCopy } from "./memory.ts";
import { findHolder, stopPostmaster } from "./postmaster.ts";
import { processIdentity } from "./processes.ts";

export { installedMajors } from "./binaries.ts";

/** How to start an embedded server. */
export interface EmbeddedServerOptions {
  /**
   * Absolute path of the directory that holds the data directory; made on first use and kept for later
   * starts.
   */
  directory: string;
  /** 15, 16, 17 or 18, as far as installed. */
  majorVersion: number;
  /** TCP port on 127.0.0.1. Default: a free one. */
  port?: number;
  /** Name of the role that owns the cluster; fixed when the data directory is made. Default `postgres`. */
  superuser?: string;
  /** Server settings by name, e.g. `{ fsync: "off" }`. Default none. */
  settings?: Readonly<Record<string, string>>;
  /**
   * `false`: the server is this process's own and ends with it, however it ends. Another process that wants
   * the same directory meanwhile gets a server of its own, on a data directory beside this one. `true`: the
   * server is kept running after this process, and a process that starts it again gets the running one.
   *
   * @default false
   */
  detached?: boolean;
  /**
   * For a server of this process's own whose data is not needed afterwards: it runs in memory where the
   * machine has room for that, and in the directory where it has not.
   *
   * @default false
   */
  inMemory?: boolean;
}

/** A running server. It listens on 127.0.0.1 only. */
export interface EmbeddedServer {
  port: number;
  superuser: string;
  password: string;
  /** As the server reports it, e.g. `18.4`. */
  version: string;
  /** Where its files really lie; see `directory` of the options. */
  directory: string;
  logFile: string;
  /** Connection URL of one of its databases, as the superuser. */
  url(database: string): string;
  /** Stops it; open transactions are rolled back. */
  stop(): Promise<void>;
}

const KEPT = "kept";
const MOST_SERVERS_AT_ONCE = 32;
const PORT_ATTEMPTS = 5;

/**
 * Starts a Postgres from the npm binaries: about 0.8 s the first time in a directory, about 50 ms later.
 *
 * Root may not run Postgres, so for root it runs as an ordinary account (see {@link serverAccount}). Where
 * that account cannot get to the checkout, the binaries are copied to `/var/cache/pgstrata` and the data lie
 * under `/var/lib/pgstrata`.
 *
 * @throws {UserError} when the binaries are missing, the port is taken, the disk is full, the data directory
 *   is of another major version or another user's.
 */
export async function startEmbeddedServer(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const binaries = findBinaries(options.majorVersion, serverAccount());
  try {
    const place = placeFor(options.directory);
    return await (options.detached === true ? startKept(place, binaries, options) : startOwn(place, binaries, options));
  } catch (error) {
    throw explainFileError(error, options.directory);
  }
}

/** The kept server of a directory, if one is running. It is not started, and nothing is written. */
export function findEmbeddedServer(directory: string): EmbeddedServer | undefined {
  if (!existsSync(directory)) return undefined;
  try {
    const home = placeFor(directory);
    const data = join(home, "data");
    const holder = findHolder(data);
    if (holder.kind !== "ours" || !holder.file.ready) return undefined;
    return describe({ home, data, ...readCredentials(data) }, holder.file.port, holder.version, () => stopKept(data));
  } catch (error) {
    throw explainFileError(error, directory);
  }
}

async function startOwn(place: string, binaries: Binaries, options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const server = options.inMemory === true ? await startInMemory(place, binaries, options) : undefined;
  if (server !== undefined) return server;
  for (let slot = 1; slot <= MOST_SERVERS_AT_ONCE; slot++) {
    const home = join(place, String(slot));
    const data = join(home, "data");
    if (!(await isFree(data))) continue;
    const cluster = await openCluster({ home, binaries, superuser: options.superuser ?? "postgres" });
    const started = await launchOn(cluster, binaries, options).catch((error: unknown) => {
      if (error instanceof StartFailure && error.code === "PS705") return undefined;
      throw error;
    });
    if (started !== undefined) return started;
  }
  throw new UserError(
    "PS704",
    `${MOST_SERVERS_AT_ONCE} servers already run in ${place}. Stop some of the processes that started them.`,
  );
}

/** Undefined where that cannot be: in the directory, it then shows what the reason is. */
async function startInMemory(
  place: string,
  binaries: Binaries,
  options: EmbeddedServerOptions,
): Promise<EmbeddedServer | undefined> {
  const superuser = options.superuser ?? "postgres";
  const cluster = await copyInMemory(await openCluster({ home: join(place, "template"), binaries, superuser }));
  if (cluster === undefined) return undefined;
  try {
    const server = await launchOn(cluster, binaries, options);
    const stop = (): Promise<void> => server.stop().finally(() => removeCopy(cluster.home));
    return { ...server, stop };
  } catch {
    removeCopy(cluster.home);
    return undefined;
  }
}

/** Whether no server runs here. One whose owner has died is stopped first. */
async function isFree(data: string): Promise<boolean> {
  const holder = findHolder(data);
  if (holder.kind !== "ours") return holder.kind === "nobody";
  const pid = Number.parseInt(holder.owner, 10);
  if (processIdentity(pid) === holder.owner) return false;
  return stopPostmaster(data);
}

async function startKept(home: string, binaries: Binaries, options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const cluster = await openCluster({ home, binaries, superuser: options.superuser ?? "postgres" });
  const running = findEmbeddedServer(options.directory);
  if (running !== undefined) return running;
  const holder = findHolder(cluster.data);
  if (holder.kind === "foreign") {
    throw new StartFailure(
      "PS705",
      `The data directory ${cluster.data} is in use by process ${holder.pid}, which was not started on it from here. End that process first; if this is a copy of a checkout whose server runs, make it a directory of its own: npm run reset.`,
    );
  }
  try {
    return await launchOn(cluster, binaries, options);
  } catch (error) {
    // Another process starts it at this moment: its server is the one desired.
    if (!(error instanceof StartFailure && error.code === "PS705")) throw error;
    for (const end = Date.now() + 10_000; Date.now() < end; await sleep(20)) {
      const theirs = findEmbeddedServer(options.directory);
      if (theirs !== undefined) return theirs;
    }
    throw error;
  }
}

async function launchOn(cluster: Cluster, binaries: Binaries, options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const detached = options.detached === true;
  const owner = detached ? KEPT : (processIdentity(process.pid) ?? String(process.pid));
  const logFile = join(cluster.home, "server.log");
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort());
    try {
      const child = await launch({
        cluster,
        binaries,
        port,
        settings: options.settings ?? {},
        owner,
        detached,
        logFile,
      });
      const stop = async (): Promise<void> => {
        if (detached) return stopKept(cluster.data);
        child.ref();
        child.stdin?.end();
        if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      };
      return describe(cluster, port, binaries.version, stop);
    } catch (error) {
      // Another process took the free port before the server did.
      const mayPass = error instanceof StartFailure && error.code === "PS702" && options.port === undefined;
      if (!mayPass || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

async function stopKept(data: string): Promise<void> {
  if (await stopPostmaster(data)) return;
  throw new UserError(
    "PS703",
    `The Postgres on ${data} did not stop: it may belong to another user. Stop it as the user who started it.`,
  );
}

function describe(cluster: Cluster, port: number, version: string, stop: () => Promise<void>): EmbeddedServer {
  const { home, superuser, password } = cluster;
  const login = `${encodeURIComponent(superuser)}:${encodeURIComponent(password)}`;
  return {
    port,
    superuser,
    password,
    version,
    directory: home,
    logFile: join(home, "server.log"),
    url: (database) => `postgresql://${login}@127.0.0.1:${port}/${encodeURIComponent(database)}`,
    stop,
  };
}

/** A TCP port of 127.0.0.1 that is free now. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}
