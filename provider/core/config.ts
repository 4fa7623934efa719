/**
 * Which settings a configured provider has, in the types that all rooms use. Parsing and defaults are in
 * `resources/provider/inputs.ts`.
 */

/**
 * How a shadow database is found: see `docs/architecture.md`. A URL names a server on which scratch
 * databases may be made.
 */
export type ShadowMode = "auto" | "embedded" | "colocated" | { url: string };

/** The provider's configuration after parsing. */
export interface ProviderConfig {
  /** Connection URL of the target database; undefined while it is not known (a first preview). Secret. */
  url: string | undefined;
  /** Longest wait for one lock, in milliseconds; early tries of a layer wait less. Default 3000. */
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
  /**
   * Whether a change needs a `Gate` of this run that says GO. A destroy does not: a rollback must not wait
   * for a maintenance window. Default false.
   */
  requireGate: boolean;
  backup: BackupSettings;
  /**
   * For how many days dropped tables and columns are kept under another name; 0 to drop at once. Default 0.
   */
  keepDroppedDays: number;
  baseline: BaselineSettings;
}

/** What is measured before the first change of a run, for a `Verification` to compare with. */
export interface BaselineSettings {
  /** Schemas whose tables are counted; none for no count. */
  schemas: string[];
  /** Files or folders of queries whose times are taken; none for no times. */
  queries: string[];
}

/** `off` is noted in the report of a run. */
export const BACKUP_MODES = ["dump", "copy", "external", "off"] as const;
export type BackupMode = (typeof BACKUP_MODES)[number];

/** `auto`: a restore while the dump is small enough, else the list. */
export const BACKUP_PROOFS = ["auto", "restore", "list"] as const;
export type BackupProof = (typeof BACKUP_PROOFS)[number];

/** The backup before the first change of a run. */
export interface BackupSettings {
  /** Default `off`. */
  mode: BackupMode;
  /** Where dumps lie; undefined for a folder of the user, outside of the checkout. */
  folder: string | undefined;
  /** How many backups of a stack are kept, the new one included. Default 10. */
  keep: number;
  /** Default `auto`. */
  proof: BackupProof;
  /** The largest database that `dump` takes, in MB. Default 5120. */
  sizeLimitMb: number;
  /** Longest run of the dump, and of its proof, in milliseconds; 0 for no limit. Default 3600000. */
  timeoutMs: number;
  /** For `external`: prints when the last backup by others was made, as ISO 8601. */
  command: string | undefined;
  /** For `external`: the oldest backup that counts, in hours. Default 24. */
  maxAgeHours: number;
}
