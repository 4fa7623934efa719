/**
 * The local database of a checkout: its port, name, settings, start and removal. The server itself is
 * `provider/embedded/server.ts`.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { quoteIdent } from "../../provider/catalog/quote.ts";
import { UserError } from "../../provider/core/errors.ts";
import { openClient } from "../../provider/database/pool.ts";
import { placeFor } from "../../provider/embedded/account.ts";
import { StartFailure } from "../../provider/embedded/failures.ts";
import {
  type EmbeddedServer,
  findEmbeddedServer,
  freePort,
  startEmbeddedServer,
} from "../../provider/embedded/server.ts";
import { layoutOf } from "../setup/layout.ts";

const MAJOR_VERSION = 18;
const SUPERUSER = "pgstrata";
const DATABASE = "studio";

/**
 * Room for layers of some thousand tables in one transaction: a table that is dropped takes about twenty
 * locks.
 */
const SETTINGS = { max_locks_per_transaction: "1024" };

/** One row if the database of this name exists. */
const DATABASE_EXISTS = "select 1 from pg_catalog.pg_database where datname = $1";

/** The local database, running. */
export interface LocalDatabase {
  url: string;
  server: EmbeddedServer;
  /** Whether it ran before. */
  wasRunning: boolean;
}

/**
 * Starts the local database of the checkout unless it runs, and leaves it running. Its port is chosen
 * once (a free one, or `PGSTRATA_PORT`) and kept, so that its URL stays the same.
 *
 * @throws {UserError} when it does not start; see `startEmbeddedServer`.
 */
export async function startLocalDatabase(root: string): Promise<LocalDatabase> {
  const directory = place(root);
  const asked = portFromEnvironment();
  const running = findEmbeddedServer(directory);
  if (running !== undefined) {
    if (asked === undefined || asked === running.port) return ready(running, true);
    throw new UserError(
      "PS702",
      `The local database already runs on port ${running.port}, but PGSTRATA_PORT asks for ${asked}. Run \`npm stop\` first, then start it again.`,
    );
  }
  mkdirSync(directory, { recursive: true });
  const port = asked ?? readPort(directory) ?? (await freePort());
  const server = await startServer(directory, port);
  writeFileSync(portFile(directory), `${JSON.stringify({ port: server.port })}\n`, { mode: 0o600 });
  return ready(server, false);
}

/**
 * The URL of a database on the running local server, whether there is one of this name or not.
 *
 * @throws {UserError} when the server does not run.
 */
export async function localDatabaseUrl(root: string, name = DATABASE): Promise<string> {
  const server = findEmbeddedServer(place(root));
  if (server === undefined) {
    throw new UserError(
      "PS701",
      "The local database of this checkout does not run. Run `npm start`: it starts it and applies the program.",
    );
  }
  return server.url(name);
}

/** Makes a database on the running local server unless it is there. @returns its URL. */
export async function createLocalDatabase(root: string, name: string): Promise<string> {
  await createIfMissing(await localDatabaseUrl(root, "postgres"), name);
  return localDatabaseUrl(root, name);
}

/** Settings of the backup of the local database. */
export interface LocalBackup {
  /** `off` where the set-up has found no `pg_dump` and could fetch none. */
  backup: "dump" | "off";
  /** From the project directory. */
  backupFolder: string;
}

export function localBackup(root: string): LocalBackup {
  const backup = existsSync(layoutOf(root).withoutPgDump) ? "off" : "dump";
  return { backup, backupFolder: relative(root, join(layoutOf(root).home, "backups")) };
}

/**
 * Gets what the backups of the local database need. Where that cannot be had, it goes without, and says so.
 *
 * @param log gets one line of progress at a time.
 */
export async function prepareLocalBackup(root: string, log: (line: string) => void): Promise<void> {
  // A program that only asks for the database loads none of it.
  const { ensurePgTools } = await import("../setup/pgTools.ts");
  const tools = await ensurePgTools({ root, major: MAJOR_VERSION, log });
  const { withoutPgDump } = layoutOf(root);
  if (tools !== undefined) rmSync(withoutPgDump, { force: true });
  else {
    const { installLine } = await import("../../provider/backup/pgTools.ts");
    writeFileSync(withoutPgDump, "");
    log(
      `pg_dump: none, so the local database is changed without a backup; install it with ${installLine(MAJOR_VERSION)}`,
    );
  }
}

/** Stops the local database; its data stay. @returns whether it was running. */
export async function stopLocalDatabase(root: string): Promise<boolean> {
  const server = findEmbeddedServer(place(root));
  await server?.stop();
  return server !== undefined;
}

/** Stops the local database and removes its files. @returns the directories that were removed. */
export async function removeLocalDatabase(root: string): Promise<string[]> {
  const directory = place(root);
  if (!existsSync(directory)) return [];
  await stopLocalDatabase(root);
  const places = [...new Set([placeFor(directory), directory])];
  for (const place of places) rmSync(place, { recursive: true, force: true });
  return places;
}

async function startServer(directory: string, port: number): Promise<EmbeddedServer> {
  try {
    return await startEmbeddedServer({
      directory,
      majorVersion: MAJOR_VERSION,
      port,
      superuser: SUPERUSER,
      settings: SETTINGS,
      detached: true,
    });
  } catch (error) {
    if (!(error instanceof StartFailure && error.code === "PS702")) throw error;
    throw new UserError(
      "PS702",
      `Port ${port} on 127.0.0.1, assigned to the local database, is in use by another program. End that program, or choose another port: ` +
        "`PGSTRATA_PORT=… npm start`; the new one is kept for later starts.",
    );
  }
}

async function ready(server: EmbeddedServer, wasRunning: boolean): Promise<LocalDatabase> {
  await createIfMissing(server.url("postgres"), DATABASE);
  return { url: server.url(DATABASE), server, wasRunning };
}

async function createIfMissing(url: string, name: string): Promise<void> {
  const client = await openClient({ connectionString: url });
  try {
    const { rowCount } = await client.query(DATABASE_EXISTS, [name]);
    if (rowCount === 0) await client.query(`create database ${quoteIdent(name)}`);
  } finally {
    await client.end();
  }
}

function place(root: string): string {
  return join(root, ".pgstrata", "postgres");
}

function portFromEnvironment(): number | undefined {
  const text = process.env.PGSTRATA_PORT;
  if (text === undefined || text === "") return undefined;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= 65535) return port;
  throw new UserError(
    "PS706",
    `PGSTRATA_PORT is "${text}", but a port is a number from 1 to 65535. Set it to one, or unset it.`,
  );
}

function portFile(directory: string): string {
  return join(directory, "server.json");
}

function readPort(directory: string): number | undefined {
  if (!existsSync(portFile(directory))) return undefined;
  const notes: unknown = JSON.parse(readFileSync(portFile(directory), "utf8"));
  if (typeof notes !== "object" || notes === null || !("port" in notes)) return undefined;
  return typeof notes.port === "number" ? notes.port : undefined;
}
