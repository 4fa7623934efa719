/**
 * The arguments and outputs of a probe as programs see them. The provider connects; nothing here knows how.
 */
import * as pulumi from "@pulumi/pulumi";
import type { DatabaseType } from "../../provider/services/serviceTypes.ts";

export interface ProbeArgs {
  /** How the service is connected to; always treated as a secret. */
  connectionString: pulumi.Input<string>;

  /** The type of the service. */
  type: DatabaseType;

  /**
   * `require` stops preview and update where the probe fails, before what depends on it; `warn` tells.
   * @default "warn"
   */
  mode?: "require" | "warn" | undefined;

  /**
   * Settings of the registration, of which a probe uses `ca`, `keyPrefix`, `authSource` and `schema`.
   * @default {}
   */
  config?: pulumi.Input<object> | undefined;

  /**
   * What the user of the string must be able to do. An update tries `write` with a key or a collection of its
   * own, and leaves nothing; a preview only reads.
   * @default "write"
   */
  access?: "read" | "write" | undefined;

  /**
   * The registration that the string is for: ID of its project, and name. Where a rotation has replaced the
   * string, the one that is registered is probed.
   * @default the given string is probed
   */
  registration?: { project: pulumi.Input<string>; name: pulumi.Input<string> } | undefined;

  /**
   * Longest run of a probe, in milliseconds.
   * @default 5000
   */
  timeoutMs?: number | undefined;
}

/**
 * A real connection to a service before it is registered: its name, port, TLS, login, version, latency and
 * rights.
 *
 * ```ts
 * const probe = new Probe("cache", { type: "redis", connectionString, mode: "require" });
 * ```
 *
 * It connects where an input has changed, in a preview as well. A run that changes nothing connects to no
 * service. Destroying it does nothing.
 */
export class Probe extends pulumi.CustomResource {
  /** Empty where the service does not tell it. */
  declare readonly version: pulumi.Output<string>;
  /** Time of one round trip, in milliseconds. */
  declare readonly latencyMs: pulumi.Output<number>;
  /** Why the probe failed; empty where it did not. */
  declare readonly problem: pulumi.Output<string>;
  /** As ISO 8601. */
  declare readonly probedAt: pulumi.Output<string>;

  constructor(name: string, args: ProbeArgs, opts: pulumi.CustomResourceOptions = {}) {
    super(
      "pgstrata:index:Probe",
      name,
      {
        ...args,
        connectionString: pulumi.secret(args.connectionString),
        version: undefined,
        latencyMs: undefined,
        problem: undefined,
        probedAt: undefined,
      },
      opts,
    );
  }
}
