/**
 * The control plane's schema as the lowest layer with the key of its request contexts, and the options that
 * all layer components share. What is in the schema is said by `sql/platform/` alone.
 */
import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random";
import { Layer, type LayerSource } from "../resources/Layer.ts";
import { Row } from "../resources/Row.ts";
import type { AccessRoles } from "./AccessRoles.ts";

/** What every component that is made of one layer lets a program decide. */
export interface LayerOptions {
  /**
   * Hazards of a plan that are approved, by name, such as a dropped column. A plan with any other hazard is
   * refused before its first statement.
   * @default []
   */
  allow?: string[];

  /**
   * Lets a destroy drop tables that hold rows. The rows are lost.
   * @default false
   */
  forceDestroy?: boolean;
}

export interface PlatformSchemaArgs extends LayerOptions {
  /** The roles that the schema's grants name. They exist before the schema and outlive it. */
  access: AccessRoles;

  /**
   * Has the preview of a destroy of this layer refused, before anything that stands on it is gone.
   * @default false
   */
  protect?: boolean | undefined;
}

/**
 * The control plane: schema `platform` with 25 tables, their functions, triggers, views and grants, and
 * schema `platform_access` with what tells for whom a transaction runs, as one layer.
 *
 * ```ts
 * const platform = new PlatformSchema("platform", { access }, { providers: [target] });
 * ```
 *
 * An existing schema of the same shape is adopted. A destroy is refused while a table holds rows, unless
 * `forceDestroy` is set. The notes on decryptions stay where there are some.
 */
export class PlatformSchema extends pulumi.ComponentResource {
  readonly layer: Layer;
  /** This layer, for those that stand on it. */
  readonly sources: LayerSource[];
  /** Names of the roles that layers above may name as well. */
  readonly roles: string[];
  /**
   * What the application signs request contexts with, `<name>:<key>`; secret. Functions of the database
   * compare with it, and no application role can read it there.
   */
  readonly contextKey: pulumi.Output<string>;

  constructor(name: string, args: PlatformSchemaArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super("pgstrata:components:PlatformSchema", name, {}, opts);
    const { access, protect, ...options } = args;
    const source = { name, files: ["sql/platform"] };
    this.roles = access.names;
    this.layer = new Layer(
      name,
      { ...source, keepWithRows: ["platform_audit.decryptions"], ...options, roles: this.roles },
      { parent: this, dependsOn: [access], ...(protect !== undefined && { protect }) },
    );
    this.sources = [source];
    this.contextKey = contextKey(`${name}-context-key`, this, this.layer);
    this.registerOutputs({ digest: this.layer.digest });
  }
}

/**
 * Each key has a name of its own, so that keys stand beside one another: a stack that lost its state, or
 * another one on the same database, makes no running application's key invalid.
 */
function contextKey(name: string, parent: pulumi.Resource, layer: Layer): pulumi.Output<string> {
  const key = pulumi.secret(new RandomPassword(name, { length: 64, special: false }, { parent }).result);
  const keyName = pulumi.unsecret(key).apply(keyNameOf);
  new Row(
    name,
    { table: "platform_access.context_keys", key: { name: keyName }, secretValues: { key } },
    { parent, dependsOn: [layer] },
  );
  return pulumi.interpolate`${keyName}:${key}`;
}

/** Tells nothing of a key of 64 random characters. */
const keyNameOf = (key: string): string => `gateway-${createHash("sha256").update(key).digest("hex").slice(0, 8)}`;
