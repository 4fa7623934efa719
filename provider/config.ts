/** How a shadow database is found: see `docs/architecture.md`. A URL names a server on which scratch databases may be made. */
export type ShadowMode = "auto" | "embedded" | "colocated" | { url: string };

/** The provider's configuration after parsing. */
export interface ProviderConfig {
  /** Connection URL of the target database; undefined while it is not known (a first preview). Secret. */
  url: string | undefined;
  /** Longest wait for one lock, in milliseconds. Default 3000. */
  lockTimeoutMs: number;
  /** How often a whole transaction is run again after a lock timeout. Default 5. */
  lockRetries: number;
  /** Longest run of one statement, in milliseconds; 0 for no limit. Default 0. */
  statementTimeoutMs: number;
  /** Default `auto`. */
  shadow: ShadowMode;
}
