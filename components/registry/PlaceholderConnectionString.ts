/**
 * A generated connection string that opens nothing, for a stack without the real one. Whether a placeholder
 * is allowed is decided in `program/stackConfig.ts`.
 */
import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random";

export interface PlaceholderConnectionStringArgs {
  /** Scheme without its colon, such as `redis`. */
  scheme: string;
  host: string;
  /** 1 to 65535. */
  port: number;
  username: string;
}

/**
 * A well-formed connection string that opens nothing: it stands in where a stack has no real one yet, so that
 * all the rest can be tried. Its password is generated; once the stack has the real string, the next update
 * removes the placeholder.
 *
 * ```ts
 * new PlaceholderConnectionString("redis-placeholder", { scheme: "redis", host: "localhost", port: 6379,
 * username: "default" });
 * ```
 */
export class PlaceholderConnectionString extends pulumi.ComponentResource {
  /** The connection string; secret. */
  readonly value: pulumi.Output<string>;

  constructor(name: string, args: PlaceholderConnectionStringArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super("pgstrata:components:PlaceholderConnectionString", name, {}, opts);
    const password = new RandomPassword(name, { length: 32, special: false }, { parent: this });
    const { scheme, host, port, username } = args;
    this.value = pulumi.secret(password.result).apply((secret) => `${scheme}://${username}:${secret}@${host}:${port}`);
    this.registerOutputs({});
  }
}
