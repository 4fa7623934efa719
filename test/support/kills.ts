import pg from "pg";
import type { Boundary } from "./statementProxy.ts";

/** Ends the server's process behind a connection, as an administrator would, and waits until it has gone. */
export async function terminateBackend({ connection }: Boundary, server: string): Promise<void> {
  const client = new pg.Client(server);
  await client.connect();
  try {
    const { rows } = await client.query("select pg_terminate_backend($1) as done", [connection.backendPid]);
    if (rows[0]?.done !== true) throw new Error(`the server has no process ${connection.backendPid} to end`);
  } finally {
    await client.end();
  }
  await connection.ended;
}

/** Which boundary of a run to kill at. */
export interface KillPoint {
  /** Of the statement in a run that nothing disturbs. */
  number: number;
  side: Boundary["side"];
}

/**
 * A holder for the proxy that kills once, at one boundary, and tells whether it came to that. Connections
 * take turns as they like, so a statement is known by its text and by how many of the same text came before
 * it, not by its number.
 *
 * @param statements of the run that nothing disturbs.
 */
export function killOnce(
  { number, side }: KillPoint,
  statements: readonly string[],
  kill: (boundary: Boundary) => Promise<void> | void,
): { hold: (boundary: Boundary) => Promise<void>; killedAt(): string | undefined } {
  const text = nameOf(statements[number - 1] ?? "");
  const occurrence = statements.slice(0, number).filter((sql) => nameOf(sql) === text).length;
  const alike: number[] = [];
  let killedAt: string | undefined;
  return {
    hold: async (boundary) => {
      if (nameOf(boundary.sql) !== text) return;
      if (boundary.side === "before") alike.push(boundary.number);
      if (killedAt !== undefined || boundary.side !== side || alike.indexOf(boundary.number) !== occurrence - 1) return;
      killedAt = boundary.sql.trim().replaceAll(/\s+/g, " ").slice(0, 120);
      await kill(boundary);
    },
    killedAt: () => killedAt,
  };
}

/** Tables are locked in another order each time, and each connection has a process of its own. */
function nameOf(sql: string): string {
  return /^(lock table|set local lock_timeout)/.exec(sql)?.[0] ?? sql.replace(/(pg_backend_pid\(\) \S+ )\d+/g, "$1");
}
