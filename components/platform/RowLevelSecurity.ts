/**
 * Row-level security on the tables of the two layers below, as a layer of its own. The policies are in
 * `sql/rls/`.
 */
import * as pulumi from "@pulumi/pulumi";
import { Layer, type LayerSource } from "../resources/Layer.ts";
import type { DatabasesTable } from "./DatabasesTable.ts";
import type { LayerOptions, PlatformSchema } from "./PlatformSchema.ts";

export interface RowLevelSecurityArgs extends LayerOptions {
  /** The 25 tables to secure. */
  platform: PlatformSchema;
  /** The registry table to secure. */
  databases: DatabasesTable;

  /**
   * What the policies let through. With `restrictive` a transaction sees the rows of its user's
   * organizations, and none without a request context (`client/`). Going from one to the other is one
   * transaction: there is no moment without policies.
   * @default "permissive"
   */
  policies?: PolicySet;
}

/** The two phases of the rollout. */
export type PolicySet = "permissive" | "restrictive";

/**
 * Row-level security on all 26 tables, with the policies of one phase and the functions that verify them, as
 * one layer. The permissive policies let every row through; they are the first step of a rollout in two, and
 * change nothing for readers and writers. The restrictive ones isolate organizations from one another.
 *
 * ```ts
 * new RowLevelSecurity("rls", { platform, databases }, { providers: [target] });
 * ```
 *
 * Destroying it switches row-level security off again where it was off before; no row is touched.
 */
export class RowLevelSecurity extends pulumi.ComponentResource {
  readonly layer: Layer;
  /** This layer and those below it, lowest first. */
  readonly sources: LayerSource[];

  constructor(name: string, args: RowLevelSecurityArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super("pgstrata:components:RowLevelSecurity", name, {}, opts);
    const { platform, databases, policies = "permissive", ...options } = args;
    const source = { name, files: ["sql/rls/common", `sql/rls/${policies}`] };
    this.layer = new Layer(
      name,
      { ...source, ...options, base: databases.sources, roles: platform.roles },
      { parent: this, dependsOn: [platform.layer, databases.layer] },
    );
    this.sources = [...databases.sources, source];
    this.registerOutputs({ digest: this.layer.digest });
  }
}
