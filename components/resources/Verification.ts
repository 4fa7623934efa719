/**
 * The arguments and outputs of a verification as programs see them. The provider runs the checks; nothing
 * here knows one.
 */
import * as pulumi from "@pulumi/pulumi";

export interface VerificationArgs {
  /**
   * Files, or folders of `.sql` files, with checks, from the project directory. Each stands below a line `--
   * check: <name>` and ends with a query that returns name, status (PASS, WARNING, FAIL), measured and
   * expected.
   * @example checks: ["sql/checks/verify"]
   */
  checks: pulumi.Input<string[]>;

  /**
   * Schemas whose live catalog is linted (`docs/lints.md`): a finding of level ERROR is FAIL, one of level
   * WARNING is WARNING. A line `lint-ignore <code>: <reason>` in the comment of an object exempts it.
   * @default []
   * @example lintSchemas: ["platform"]
   */
  lintSchemas?: pulumi.Input<string[]>;

  /** A digest of what is desired; kept beside the result. A change of it verifies anew. */
  desired?: pulumi.Input<string>;

  /**
   * Whether others may write rows during an update. Where they may, a difference in the rows of a table is a
   * WARNING; where not, as in a maintenance window, it is FAIL.
   * @default true
   */
  otherWriters?: pulumi.Input<boolean>;

  /**
   * By how much a query may be slower than before the update, in percent.
   * @default 10
   */
  slowdownPercent?: pulumi.Input<number>;

  /**
   * The same for a run that changes a layer, by the layer's name; the least limit holds.
   * @default {}
   */
  layerSlowdownPercent?: pulumi.Input<Record<string, pulumi.Input<number>>>;
}

/** One answer of a check. */
export interface CheckResult {
  name: string;
  status: "PASS" | "WARNING" | "FAIL";
  measured: string;
  expected: string;
}

/**
 * Checks after the last change of an update. It depends on all other resources of the database.
 *
 * ```ts
 * const checks = ["sql/checks/verify"];
 * new Verification("verification", { checks }, { provider: target, dependsOn: [layer] });
 * ```
 *
 * FAIL fails the update, whose changes stay, and the next update asks again. A run that changes nothing is
 * not verified and shows no difference. Destroying it does nothing to the database.
 */
export class Verification extends pulumi.CustomResource {
  declare readonly report: pulumi.Output<CheckResult[]>;
  /**
   * The worst status of all; PENDING where the checks let the update through, and it deletes something
   * afterwards or is of targets only.
   */
  declare readonly result: pulumi.Output<CheckResult["status"] | "PENDING">;
  /** As ISO 8601. */
  declare readonly verifiedAt: pulumi.Output<string>;
  /** What was verified, as the program tells it apart. */
  declare readonly desired: pulumi.Output<string | undefined>;
  /** Of the project, with `-dirty` where files differ from it; empty outside of git. */
  declare readonly commit: pulumi.Output<string>;

  constructor(name: string, args: VerificationArgs, opts: pulumi.CustomResourceOptions = {}) {
    super(
      "pgstrata:index:Verification",
      name,
      {
        checks: args.checks,
        lintSchemas: args.lintSchemas,
        desired: args.desired,
        otherWriters: args.otherWriters,
        slowdownPercent: args.slowdownPercent,
        layerSlowdownPercent: args.layerSlowdownPercent,
        report: undefined,
        result: undefined,
        verifiedAt: undefined,
        commit: undefined,
        checksDigest: undefined,
        resources: undefined,
      },
      opts,
    );
  }
}
