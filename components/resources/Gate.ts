/** The arguments and outputs of a gate as programs see them. What it measures is up to the provider. */
import * as pulumi from "@pulumi/pulumi";

/** A person's word for a check that could not be measured. */
export interface GateOverride {
  who: string;
  why: string;
  /** ISO 8601, such as `2026-11-30T04:00:00Z`. */
  until: string;
  /** Digest of the plan that it is for, as a preview prints it. */
  plan: string;
}

/** What a stack exports of its last verified update. */
export interface Release {
  /** Digest of the desired state. */
  desired: string;
  result: "PASS" | "WARNING" | "FAIL";
  /** ISO 8601. */
  verifiedAt: string;
  commit: string;
}

export interface GateArgs {
  /**
   * Schemas that the program's objects are in; their tables are the managed ones.
   * @default []
   */
  schemas?: string[] | undefined;

  /**
   * Extensions that are there or can be created.
   * @default []
   */
  extensions?: string[] | undefined;

  /**
   * Roles that have to exist.
   * @default []
   */
  roles?: string[] | undefined;

  /**
   * Roles that the program creates; where one is missing, the connecting role needs CREATEROLE.
   * @default []
   */
  createdRoles?: string[] | undefined;

  /**
   * Files and folders that make up the desired state, from the project directory. A change of one of them
   * changes the plan's digest, and has to be promoted anew.
   * @default []
   */
  sources?: string[] | undefined;

  /**
   * Folder of the program's own checks. A file is one SELECT that returns name, status, measured, expected
   * and perhaps mend, below a line `-- kind: plan` or `-- kind: run`.
   * @default "sql/checks/gate"
   */
  checks?: string | undefined;

  /**
   * Plain settings of the stack, never a secret: a part of the plan's digest. Own checks read them as
   * `current_setting('pgstrata.<name>', true)`.
   * @default {}
   */
  settings?: Record<string, unknown> | undefined;

  /**
   * Maintenance window in UTC, over midnight too.
   * @default any time
   * @example window: "02:00-04:00"
   */
  window?: string | undefined;

  /** A reason to update outside of the window; it stays in the state. */
  windowOverride?: string | undefined;

  /** An open incident: no update begins. */
  incident?: string | undefined;

  /**
   * Digest of the one plan that may be carried out, as a preview prints it.
   * @default any plan
   */
  approvedPlan?: string | undefined;

  /** The stack that must have run and verified the same desired state before this one. */
  promoteFrom?: string | undefined;

  /**
   * How old that may be, in hours.
   * @default 168
   */
  promoteMaxAgeHours?: number | undefined;

  /**
   * What that stack exports; a value of another form counts as none.
   */
  release?: pulumi.Input<unknown> | undefined;

  /**
   * Names of checks that report and stop nothing.
   * @default []
   */
  trial?: string[] | undefined;

  /**
   * For checks that could not be measured, by name.
   * @default {}
   */
  overrides?: Record<string, GateOverride> | undefined;

  /**
   * Limits of the built-in checks, by name.
   * @example thresholds: { longTransactionSeconds: 60 }
   */
  thresholds?: Record<string, number> | undefined;
}

/**
 * Go or no-go before anything changes. See `Preflight` for the component that makes all else wait for it.
 *
 * A destroy is not held by it. Its own deletion does nothing.
 */
export class Gate extends pulumi.CustomResource {
  /** Digest of the desired state, to be exported with what verifies it. */
  declare readonly desired: pulumi.Output<string>;

  constructor(name: string, args: GateArgs, opts: pulumi.CustomResourceOptions = {}) {
    super(
      "pgstrata:index:Gate",
      name,
      // The call that measures is not told whether it belongs to a preview.
      { ...args, isDryRun: pulumi.runtime.isDryRun(), desired: undefined },
      opts,
    );
  }
}
