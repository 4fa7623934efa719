/**
 * The audit trail of an application's profiles, and its failed uploads, as a layer of their own. The SQL is
 * in `sql/audit/`; what it stands on, the application's own, is assumed and never changed.
 */
import * as pulumi from "@pulumi/pulumi";
import type { LayerOptions } from "../platform/PlatformSchema.ts";
import { Layer } from "../resources/Layer.ts";

/** The roles of the application's API, which the database has already. */
export const API_ROLES = ["anon", "authenticated", "service_role"];

/**
 * The tables `user_audits` and `upload_errors`, two columns of `profiles`, the trigger that writes the
 * audit rows, functions, a view, policies and grants, in the schema `public` of an application.
 *
 * ```ts new AuditTrail("audit", {}, { providers: [target] }); ```
 *
 * The schema itself, with `profiles` and its rows, belongs to the application: a destroy takes the two
 * columns and the audit rows, and no profile. What an environment has of it already, under these names, is
 * adopted.
 */
export class AuditTrail extends pulumi.ComponentResource {
  readonly layer: Layer;

  constructor(name: string, args: LayerOptions = {}, opts: pulumi.ComponentResourceOptions = {}) {
    super("pgstrata:components:AuditTrail", name, {}, opts);
    this.layer = new Layer(
      name,
      { name, files: ["sql/audit"], assumes: ["sql/audit-assumed"], roles: API_ROLES, ...args },
      { parent: this },
    );
    this.registerOutputs({ digest: this.layer.digest });
  }
}
