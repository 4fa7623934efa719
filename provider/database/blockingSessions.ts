/**
 * Which sessions keep one of ours waiting for a lock, as seen from another connection. Their SQL is not read,
 * because it may hold values; what follows is decided in `transaction.ts`.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { ClientBase, Pool } from "pg";

/**
 * Sessions that stand between one session and its lock. Their SQL may hold values of others, so it is not
 * read.
 */
const BLOCKERS = `
  select a.pid, a.usename as role, coalesce(pg_catalog.host(a.client_addr), 'local') as address, a.application_name as application,
         a.state, extract(epoch from pg_catalog.clock_timestamp() - a.xact_start)::int as seconds
    from pg_catalog.unnest(pg_catalog.pg_blocking_pids($1)) as blocking (pid) join pg_catalog.pg_stat_activity a on a.pid = blocking.pid
   order by a.xact_start nulls last limit 3`;

/** Most waits are over by then. */
const FIRST_LOOK_MS = 40;
const LONGEST_PAUSE_MS = 1000;

interface Blocker {
  pid: number;
  role: string | null;
  address: string;
  application: string;
  /** Null where the connecting role may not see it. */
  state: string | null;
  seconds: number | null;
}

/** Looks from another connection who keeps a session waiting for a lock, and keeps what it saw last. */
export class BlockerWatch {
  private readonly pool: Pool;
  private readonly client: ClientBase;
  private pid: number | undefined;
  private seen: Blocker[] = [];

  constructor(pool: Pool, client: ClientBase) {
    this.pool = pool;
    this.client = client;
  }

  /** The result of `work`, which runs statements of the session. Looks when it takes longer than a moment. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.pid ??= (await this.client.query<{ pid: number }>("select pg_catalog.pg_backend_pid() as pid")).rows[0]?.pid;
    const done = new AbortController();
    void this.look(done.signal);
    try {
      return await work();
    } finally {
      done.abort();
    }
  }

  /** The blocking sessions at the last look; empty when none was seen. */
  describe(): string {
    return this.seen
      .map(({ pid, role, address, application, state, seconds }) =>
        [
          `process ${pid} of role ${role ?? "unknown"} from ${address}`,
          ...(application === "" ? [] : [application]),
          ...(state === null ? [] : [state]),
          ...(seconds === null ? [] : [`transaction open for ${seconds} s`]),
        ].join(", "),
      )
      .join("; ");
  }

  private async look(signal: AbortSignal): Promise<void> {
    try {
      for (let pause = FIRST_LOOK_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
        await sleep(pause, undefined, { signal });
        const { rows } = await this.pool.query<Blocker>(BLOCKERS, [this.pid]);
        if (rows.length > 0) this.seen = rows;
      }
    } catch {
      // Ended, or the server does not tell: then the message names none.
    }
  }
}
