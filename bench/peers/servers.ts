import { join } from "node:path";
import { type EmbeddedServer, startEmbeddedServer } from "../../provider/embedded/server.ts";
import { query } from "./facts.ts";
import type { Bench } from "./measure.ts";

/** One embedded server for each major version, started when it is first needed. */
export class Servers {
  readonly #directory: string;
  readonly #running = new Map<number, EmbeddedServer>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** @param roles are made where they are missing. */
  async get(majorVersion: number, roles: readonly string[] = []): Promise<Bench & { version: string }> {
    let server = this.#running.get(majorVersion);
    if (server === undefined) {
      server = await startEmbeddedServer({
        directory: join(this.#directory, `server-${majorVersion}`),
        majorVersion,
        // As much as one transaction over the generated tables takes.
        settings: { max_locks_per_transaction: "256" },
      });
      this.#running.set(majorVersion, server);
    }
    for (const role of roles)
      await query(
        server.url("postgres"),
        `do $$ begin if to_regrole('${role}') is null then create role ${role}; end if; end $$`,
      );
    const { port, superuser, password, version, url } = server;
    return {
      host: "127.0.0.1",
      port,
      user: superuser,
      password,
      version,
      url: (database) => `${url(database)}?sslmode=disable`,
      directory: this.#directory,
    };
  }

  async stop(): Promise<void> {
    for (const server of this.#running.values()) await server.stop();
  }
}
