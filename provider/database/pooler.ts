// Whether the connections to a server keep their sessions. A pooler in transaction mode gives each
// transaction another one: settings and locks of a session would stay behind there, for the next client.
import type pg from "pg";
import { UserError } from "../core/errors.ts";

/**
 * An SQL condition: true in a session of the process that the connection was told of at its start. A pooler
 * makes up the number that it tells. So what is done under this condition is never done by way of a pooler.
 */
export function inOwnProcess(client: pg.ClientBase): string {
  const told = "processID" in client && typeof client.processID === "number" ? client.processID : 0;
  return `pg_catalog.pg_backend_pid() operator(pg_catalog.=) ${told}`;
}

/** Returns the number of the server's process that answers. */
const PROCESS = "select pg_catalog.pg_backend_pid() as pid";

/** An idle pooler shows itself in the first round; others take its server connections in between. */
const ROUNDS = 4;

/**
 * Whether two open connections are answered by the same sessions of the server, asked in turn. Where each
 * keeps its own, no two numbers of theirs are equal, and none changes.
 */
export async function shareSessions(first: () => Promise<number>, second: () => Promise<number>): Promise<boolean> {
  const own = await first();
  const other = await second();
  for (let round = 1; ; round++) {
    if (own === other) return true;
    if (round === ROUNDS) return false;
    if ((await first()) !== own || (await second()) !== other) return true;
  }
}

/**
 * Throws where the connection is answered by a pooler that keeps no session, compared with a `second` one to
 * the same address, which is ended. Nothing is set and nothing locked.
 *
 * @param second not connected yet; its queries have a time limit.
 */
export async function refuseSharedSessions(client: pg.ClientBase, second: pg.Client): Promise<void> {
  second.on("error", () => undefined);
  try {
    await second.connect();
    const shared = await shareSessions(
      () => processOf(client),
      () => processOf(second),
    );
    if (shared) throw withoutSession(second);
  } catch (error) {
    if (!(error instanceof Error) || !/^Query read timeout/.test(error.message)) throw error;
    throw new UserError(
      "PS503",
      `the connection pooler at ${second.host}:${second.port} does not serve a second connection of this run. ` +
        "Expected up to 4 at a time: raise its pool_size, or connect to the server itself. Nothing was changed.",
      { cause: error },
    );
  } finally {
    // A server that still owes an answer would be waited for.
    void second.end().catch(() => undefined);
  }
}

async function processOf(client: pg.ClientBase): Promise<number> {
  const { rows } = await client.query<{ pid: number }>(PROCESS);
  return rows[0]?.pid ?? 0;
}

function withoutSession({ host, port }: pg.Client): UserError {
  return new UserError(
    "PS511",
    `${host}:${port} is a connection pooler that gives each transaction another session of the server (transaction mode). ` +
      "Expected one session for the whole run: the lock against other updates and the settings of the session would stay behind for other clients. " +
      `Name the server itself in the URL, or the pooler in session mode${usualAddress(host, port)}. Nothing was changed.`,
  );
}

/** Where poolers of transaction mode usually listen, beside the server or one of session mode at 5432. */
const POOLER_PORTS = [6432, 6543];
const POOLER_HOST = /^([^.]+)-pooler(?=\.|$)/;

/** What to write in place of an address that looks like one of the hosting services. */
export function usualAddress(host: string, port: number): string {
  if (POOLER_HOST.test(host))
    return `: most often it is the same host name without "-pooler", ${host.replace(POOLER_HOST, "$1")}`;
  return POOLER_PORTS.includes(port) ? `: most often it is port 5432 in place of ${port}` : "";
}
