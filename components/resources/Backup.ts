/**
 * The record of the last backup as programs see it. The provider takes it, as its own arguments say; nothing
 * here knows a database.
 */
import * as pulumi from "@pulumi/pulumi";

/**
 * What is known of the backup before the last change of this stack. Name in `dependsOn` all that changes the
 * database: it is updated where that was changed, and a run without changes leaves it as it is.
 *
 * ```ts
 * new Backup("backup", { provider: target, dependsOn: [platform, tenant] });
 * ```
 */
export class Backup extends pulumi.CustomResource {
  /** `dump`, `copy`, `external` or `off`. */
  declare readonly mode: pulumi.Output<string>;
  /** The moment whose rows it has; empty where no change has needed a backup yet. */
  declare readonly takenAt: pulumi.Output<string>;
  /** Path of the dump, or name of the copy. */
  declare readonly file: pulumi.Output<string>;
  declare readonly sizeBytes: pulumi.Output<number>;
  declare readonly sha256: pulumi.Output<string>;
  /** Number of rows by table. */
  declare readonly rowCounts: pulumi.Output<Record<string, number>>;
  /** `restore` and where to, `list`, `copy` or `none`. */
  declare readonly proof: pulumi.Output<string>;
  /** Path of the stack's state of the same moment. */
  declare readonly stateFile: pulumi.Output<string>;
  declare readonly warnings: pulumi.Output<string[]>;

  constructor(name: string, opts: pulumi.CustomResourceOptions = {}) {
    super(
      "pgstrata:index:Backup",
      name,
      {
        mode: undefined,
        takenAt: undefined,
        file: undefined,
        sizeBytes: undefined,
        sha256: undefined,
        rowCounts: undefined,
        proof: undefined,
        stateFile: undefined,
        warnings: undefined,
      },
      opts,
    );
  }
}
