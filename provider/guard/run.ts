/** What the steps of the guard work with, and what they have found for those that report it. */
import type { BackupReport } from "../backup/record.ts";
import type { ProviderConfig } from "../core/config.ts";
import type { CallContext } from "../core/resourceType.ts";
import type { ContinuedRun } from "../database/runLock.ts";
import type { Database } from "../database/target.ts";
import type { Baseline } from "../verification/baseline.ts";
import type { RunWrites } from "../verification/runWrites.ts";

/** What the procedure around the changes of one run has found. */
export interface RunRecord {
  /** When the first change was about to be made, as ISO 8601. */
  startedAt?: string;
  /** Whether this run makes the target what a program says, be it nothing; a destroy does not. */
  hasProgram?: boolean;
  /** URNs of what the program declares and may change the target. */
  readonly declared: Set<string>;
  /** Those whose old state is deleted after the last update. */
  readonly replaced: Set<string>;
  gate?: DeclaredGate;
  /** Of what is planned; undefined without a gate. */
  planDigest?: string;
  /** The backup before the first change. */
  backup?: BackupReport;
  /** What was measured before the first change. */
  baseline?: Baseline;
  /** What the resources of this run have written. */
  writes?: RunWrites;
}

/** The gate that the program of this run has declared. */
export interface DeclaredGate {
  /** Digest of the desired state: the files of the program. */
  desired: string;
  /**
   * Measures what has to hold when an update begins.
   *
   * @returns the digest of the plan.
   * @throws {UserError} for NO-GO.
   */
  pass(context: CallContext): Promise<string>;
}

/** One run of the provider: a command of Pulumi, for one target. */
export interface Run {
  readonly config: ProviderConfig;
  /** Undefined while the URL is not known; then plan without it and say so. */
  readonly database: Database | undefined;
  readonly record: RunRecord;
  /** The run of another process that this one belongs to, and that has taken a backup. */
  readonly continued?: ContinuedRun | undefined;
  /** Where relative paths start and the project-local home lies. */
  readonly projectDirectory: string;
}
