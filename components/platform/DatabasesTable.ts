/**
 * The registry of database services as a layer, with the salt that its encryption needs. The SQL is in
 * `sql/databases/`; registrations are made by `registry/RegisteredDatabase.ts`.
 */
import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random";
import { Layer, type LayerSource } from "../resources/Layer.ts";
import { Row } from "../resources/Row.ts";
import type { LayerOptions, PlatformSchema } from "./PlatformSchema.ts";

export interface DatabasesTableArgs extends LayerOptions {
  /** The schema that the registry hangs on. */
  platform: PlatformSchema;
}

/**
 * The registry of database services: table `platform.databases`, its functions, triggers, views and grants,
 * as one layer, and the salt of its encryption.
 *
 * ```ts
 * const databases = new DatabasesTable("databases", { platform }, { providers: [target] });
 * ```
 *
 * The first salt is generated and written to a table that no application role can read; a salt that the
 * database holds already is kept, because the stored secrets hang on it, also one of a rotation.
 * Registrations depend on this component, so that a destroy removes them before the salt; the database itself
 * refuses to lose a salt that is in use.
 */
export class DatabasesTable extends pulumi.ComponentResource {
  readonly layer: Layer;
  /** This layer and those below it, lowest first. */
  readonly sources: LayerSource[];

  constructor(name: string, args: DatabasesTableArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super("pgstrata:components:DatabasesTable", name, {}, opts);
    const { platform, ...options } = args;
    const source = { name, files: ["sql/databases"] };
    this.layer = new Layer(
      name,
      { ...source, ...options, base: platform.sources, roles: platform.roles },
      { parent: this, dependsOn: [platform] },
    );
    this.sources = [...platform.sources, source];
    encryptionSalt(`${name}-salt`, this, this.layer);
    this.registerOutputs({ digest: this.layer.digest });
  }
}

/** The first salt of the registry, in the table that only the owner reads; `npm run rotate` replaces it. */
function encryptionSalt(name: string, parent: pulumi.Resource, layer: Layer): Row {
  const salt = new RandomPassword(name, { length: 64, special: false }, { parent });
  return new Row(
    name,
    {
      table: "platform_private.encryption_salts",
      key: { name: "databases" },
      initialSecretValues: { salt: salt.result },
    },
    { parent, dependsOn: [layer] },
  );
}
