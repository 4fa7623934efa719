/**
 * The contract between the gRPC server and one resource type. The server parses and prints protocol messages;
 * a resource sees plain values. Nothing here knows of gRPC.
 */
import type { ErrorCode } from "./errorCodes.ts";

/**
 * A plain property value as it crosses the provider border. `UNKNOWN` stands for a value that a preview does
 * not know yet.
 */
export type Value = null | boolean | number | string | typeof UNKNOWN | Value[] | { [key: string]: Value };

export interface Properties {
  [key: string]: Value;
}

/** A value that is known only after an update. */
export const UNKNOWN = Symbol("unknown");

/** One fault of the input, shown under the resource with its property path. */
export interface CheckFailure {
  code: ErrorCode;
  /** Property path such as `values.name`; empty for the resource as a whole. */
  property: string;
  reason: string;
}

/** How one property differs; the kinds are Pulumi's own. */
export type DiffKind = "add" | "add-replace" | "delete" | "delete-replace" | "update" | "update-replace";

export interface DiffResult {
  changed: boolean;
  /** Keyed by property path, e.g. `objects["table platform.users"]`. */
  detailed: Record<string, { kind: DiffKind; inputDiff: boolean }>;
  /** True to delete before creating a replacement. */
  deleteBeforeReplace?: boolean;
}

/** The type of the child lines of a preview. */
export const CHANGE_TYPE = "pgstrata:index:Change";

/** A child line of a preview: what is planned for one object, or the same for several. */
export interface PlannedChange {
  /** Unique within the resource; shown as the child's name. */
  name: string;
  op: "create" | "update" | "delete";
  /** What the child shows under `--diff`: plain values only, never a secret. */
  details: Properties;
}

/** What a resource may say while it works. Never pass a secret. */
export interface Reporter {
  /** Shown under the resource in the CLI's output and kept in its log. */
  info(message: string): void;
  warn(message: string): void;
  /** Replaced by the next one; for progress in a long update. */
  status(message: string): void;
  /** Publishes what is planned as child lines. Only in previews; a no-op otherwise. */
  plan(changes: PlannedChange[]): Promise<void>;
}

export interface CallContext {
  urn: string;
  preview: boolean;
  report: Reporter;
  /** Aborted when the CLI cancels. */
  signal: AbortSignal;
}

export interface ResourceState {
  id: string;
  inputs: Properties;
  outputs: Properties;
}

/**
 * One resource type. Every method may throw `UserError` (a mistake of the user; the message is shown as it
 * is) or any other error (a defect of ours; shown with its stack on stderr only).
 */
export interface ResourceType {
  readonly token: string;
  check(
    context: CallContext,
    olds: Properties,
    news: Properties,
  ): Promise<{ inputs: Properties; failures: CheckFailure[] }>;
  diff(context: CallContext, state: ResourceState, news: Properties): Promise<DiffResult>;
  create(context: CallContext, news: Properties): Promise<{ id: string; outputs: Properties }>;
  /** Undefined when the resource is gone. `state.inputs` is empty on import. */
  read(context: CallContext, state: ResourceState): Promise<ResourceState | undefined>;
  update(context: CallContext, state: ResourceState, news: Properties): Promise<Properties>;
  delete(context: CallContext, state: ResourceState): Promise<void>;
}
