/**
 * The arguments and outputs of a credential as programs see them. The provider rotates; nothing here knows
 * how.
 */
import * as pulumi from "@pulumi/pulumi";

export interface CredentialArgs {
  /** ID of the registration, a UUID. A change begins with the other registration. */
  registration: pulumi.Input<string>;

  /**
   * How old a credential may become, such as `30d`. An update rotates it when it is older; a preview shows
   * that.
   * @default for ever: `npm run rotate -- <registration>` rotates it
   */
  rotateEvery?: string | undefined;

  /**
   * How long the credential before stays valid beside the new one; the next run after that disables it.
   * @default "1d"
   */
  grace?: string | undefined;

  /**
   * Signs in to manage the users of the service; always treated as a secret.
   * @default the registered connection string, whose user then needs these rights
   */
  adminConnectionString?: pulumi.Input<string> | undefined;
}

/**
 * The credential of a registered service, rotated by an update when it is due.
 *
 * ```ts
 * new Credential("cache", { registration: cache.registrationId, rotateEvery: "30d" });
 * ```
 *
 * What is due is asked of the target; a run to which nothing is due connects to no service. Destroying it
 * does nothing: the users of the service stay.
 */
export class Credential extends pulumi.CustomResource {
  /** The user that is registered. */
  declare readonly user: pulumi.Output<string>;
  /** As ISO 8601; empty before the first rotation. */
  declare readonly rotatedAt: pulumi.Output<string>;

  constructor(name: string, args: CredentialArgs, opts: pulumi.CustomResourceOptions = {}) {
    super(
      "pgstrata:index:Credential",
      name,
      {
        registration: args.registration,
        rotateEvery: args.rotateEvery,
        grace: args.grace,
        adminConnectionString: args.adminConnectionString && pulumi.secret(args.adminConnectionString),
        user: undefined,
        rotatedAt: undefined,
      },
      pulumi.mergeOptions(opts, { additionalSecretOutputs: ["adminConnectionString"] }),
    );
  }
}
