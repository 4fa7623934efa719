import type { Pool } from "pg";

/** The database that is managed. */
export interface Target {
  readonly pool: Pool;
  /** Asked once. */
  server(): Promise<{
    /** The connecting role. */
    role: string;
    /** `server_version`, such as `18.4`. */
    version: string;
    majorVersion: number;
  }>;
  /** A pool to another database of the same server, with the same credentials; the caller ends it. */
  poolFor(database: string): Pool;
}
