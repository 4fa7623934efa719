/**
 * The verification that ends an update of the platform. Checks are in `sql/checks/verify`, the queries whose
 * times are compared in `sql/checks/timings`.
 */
import * as pulumi from "@pulumi/pulumi";
import { type VerificationArgs, Verification as VerificationResource } from "../resources/Verification.ts";

/** What the last verification found, and of what. */
export interface Release {
  /** Digest of the desired state, as the gate tells it. */
  desired: string;
  /**
   * PASS, WARNING or FAIL; PENDING where the update deleted something after its checks, or was of targets
   * only.
   */
  result: string;
  /** As ISO 8601. */
  verifiedAt: string;
  /** Of the project, with `-dirty` where files differed from it; empty outside of git. */
  commit: string;
}

/**
 * Checks all that the program has made, after the last change of an update. Everything that changes the
 * database is named in `dependsOn`.
 *
 * ```ts
 * const checks = ["sql/checks/verify"];
 * const { desired } = preflight;
 * new Verification("verification", { checks, desired }, { providers: [target], dependsOn: [rls] });
 * ```
 *
 * FAIL fails the update, whose changes stay. Destroying it does nothing to the database.
 */
export class Verification extends pulumi.ComponentResource {
  readonly resource: VerificationResource;
  /** Of the last update that was verified, which may be an earlier one than the last. */
  readonly release: pulumi.Output<Release>;

  constructor(
    name: string,
    args: VerificationArgs & { desired: pulumi.Input<string> },
    { dependsOn, ...opts }: pulumi.ComponentResourceOptions = {},
  ) {
    super("pgstrata:components:Verification", name, {}, opts);
    this.resource = new VerificationResource(name, args, {
      parent: this,
      ...(dependsOn === undefined ? {} : { dependsOn }),
    });
    const { desired, result, verifiedAt, commit } = this.resource;
    this.release = pulumi
      .all([desired, result, verifiedAt, commit])
      .apply(([verified, ...others]) => releaseOf(verified ?? "", ...others));
    this.registerOutputs({ release: this.release });
  }
}

const releaseOf = (desired: string, result: string, verifiedAt: string, commit: string): Release => ({
  desired,
  result,
  verifiedAt,
  commit,
});
