/**
 * Which settings a configured provider has, in the types that all rooms use. Parsing and defaults are in
 * `resources/provider/inputs.ts`.
 */

/**
 * How a shadow database is found: see `docs/architecture.md`. A URL names a server on which scratch databases
 * may be made.
 */
export type ShadowMode = "auto" | "embedded" | "colocated" | { url: string };

/** The provider's configuration after parsing. */
export interface ProviderConfig {
  /** Connection URL of the target database; undefined while it is not known (a first preview). Secret. */
  url: string | undefined;
  /** Longest wait for one lock, in milliseconds. Default 3000. */
  lockTimeoutMs: number;
  /**
   * How long a transaction that meets locks of others is run again, in milliseconds from the first failure.
   * Default 120000.
   */
  lockLimitMs: number;
  /** How often at most it is run again within that time. Default 200. */
  lockRetries: number;
  /**
   * Longest run of one statement that changes only the catalog, waiting for locks not counted; 0 for no
   * limit. Default 5000.
   */
  statementTimeoutMs: number;
  /** Longest run of one statement that reads, checks, copies or indexes rows; 0 for no limit. Default 0. */
  longStatementTimeoutMs: number;
  /**
   * Longest run of one question that a plan puts to the rows, and a fifth of what all may take; 0 to ask
   * none. Default 2000.
   */
  rowQuestionTimeoutMs: number;
  /** Default `auto`. */
  shadow: ShadowMode;
}
