/** What a backup is taken of, and for whom. How it is taken is left to `takeBackup.ts` and the modes. */
import type { BackupSettings } from "../core/config.ts";
import type { Reporter } from "../core/resourceType.ts";
import type { RunLock } from "../database/runLock.ts";
import type { Database } from "../database/target.ts";

/** What a backup is taken of, and for whom. */
export interface BackupOrder {
  settings: BackupSettings;
  database: Database;
  /** Of the run, held on the database. */
  lock: RunLock;
  /** Longest wait for locks, in milliseconds. */
  lockWaitMs: number;
  stack: string;
  project: string;
  planDigest?: string | undefined;
  projectDirectory: string;
  report: Reporter;
  signal: AbortSignal;
}
