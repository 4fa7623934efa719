/**
 * The control plane's schema as the lowest layer, and the options that all layer components share. What is in
 * the schema is said by `sql/platform/` alone.
 */
import * as pulumi from "@pulumi/pulumi";
import { Layer, type LayerSource } from "../resources/Layer.ts";
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
}

/**
 * The control plane: schema `platform` with 25 tables, their functions, triggers, views and grants, as one
 * layer.
 *
 * ```ts
 * const platform = new PlatformSchema("platform", { access }, { providers: [target] });
 * ```
 *
 * An existing schema of the same shape is adopted. A destroy is refused while a table holds rows, unless
 * `forceDestroy` is set.
 */
export class PlatformSchema extends pulumi.ComponentResource {
  readonly layer: Layer;
  /** This layer, for those that stand on it. */
  readonly sources: LayerSource[];
  /** Names of the roles that layers above may name as well. */
  readonly roles: string[];

  constructor(name: string, args: PlatformSchemaArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super("pgstrata:components:PlatformSchema", name, {}, opts);
    const { access, ...options } = args;
    const source = { name, files: ["sql/platform"] };
    this.roles = access.names;
    this.layer = new Layer(name, { ...source, ...options, roles: this.roles }, { parent: this, dependsOn: [access] });
    this.sources = [source];
    this.registerOutputs({ digest: this.layer.digest });
  }
}
