import type { ProviderConfig } from "./config.ts";
import { type Database, openDatabase } from "./database.ts";

/** What all resources of one configured provider share. */
export interface Session {
  readonly config: ProviderConfig;
  /** Undefined while the URL is not known; then plan without it and say so. */
  readonly database: Database | undefined;
  /** Runs `task` before the connections are closed. */
  onClose(task: () => Promise<void>): void;
  /** Frees what is held. Called once, when the process ends. */
  close(): Promise<void>;
}

/** Connects to nothing yet. Throws a `UserError` when the URL is malformed. */
export function createSession(config: ProviderConfig): Session {
  const database = openDatabase(config);
  const tasks: (() => Promise<void>)[] = [];
  return {
    config,
    database,
    onClose: (task) => void tasks.push(task),
    async close() {
      await Promise.allSettled(tasks.map((task) => task()));
      await database?.close();
    },
  };
}
