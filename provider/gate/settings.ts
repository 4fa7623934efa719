/** What a gate is asked to look at. Parsing is in `resources/gate/inputs.ts`. */
import type { Properties } from "../core/resourceType.ts";
import type { Decisions } from "./results.ts";

/** Limits of the built-in checks. */
export const DEFAULT_THRESHOLDS = {
  /** How often the connection is probed. */
  probes: 3,
  /** Longest median answer of a probe, in milliseconds. */
  latencyMs: 500,
  /** Largest difference between two probes, in milliseconds. */
  jitterMs: 500,
  /** Age of a transaction, in seconds. */
  longTransactionSeconds: 300,
  /** How long a session on a managed table may be idle in a transaction, in seconds. */
  idleInTransactionSeconds: 30,
  replicationLagSeconds: 30,
  replicationLagMb: 256,
  /** WAL that an inactive replication slot may hold, in MB. */
  slotRetainedMb: 1024,
  /** Age of the oldest transaction id in the database. */
  wraparoundAge: 1_000_000_000,
  freeDiskMb: 256,
  /** Longest run of one query of the gate, in milliseconds. */
  checkTimeoutMs: 5000,
};

export type Thresholds = typeof DEFAULT_THRESHOLDS;

/** What another stack has run and verified last. */
export interface Release {
  /** Digest of its desired state. */
  desired: string;
  result: string;
  /** ISO 8601. */
  verifiedAt: string;
  /** Null or empty outside of git. */
  commit: string | null;
}

export interface GateSettings extends Decisions {
  /** The schemas that the program's objects are in. */
  schemas: readonly string[];
  extensions: readonly string[];
  /** Roles that have to exist. */
  roles: readonly string[];
  /** Roles that the program makes itself. */
  createdRoles: readonly string[];
  /** Whether the stack has no gate yet, and so has made nothing. */
  isFirst: boolean;
  /** Files and folders that make up the desired state, from the project directory. */
  sources: readonly string[];
  /** Folder of the program's own checks. */
  checks: string;
  /** Plain settings of the stack; own checks read them. */
  settings: Properties;
  window: string | undefined;
  windowOverride: string | undefined;
  incident: string | undefined;
  approvedPlan: string | undefined;
  promoteFrom: string | undefined;
  promoteMaxAgeHours: number;
  release: Release | undefined;
  thresholds: Thresholds;
}
